/**
 * The log of the server program: what is worth a line, one line each, on a stream that may be slow,
 * full or gone.
 *
 * <p>Everybody else speaks to SLF4J and never waits. Here the lines of a kind are counted, ten a
 * second are let through, and one thread of its own, which may wait, formats and writes them.
 * Whatever came from a peer is shown escaped. Logback is known here alone.
 */
@NullMarked
package simplechat.log;

import org.jspecify.annotations.NullMarked;
