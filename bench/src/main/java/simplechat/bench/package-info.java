/**
 * The load generator: a crowd of members in one process, and what the server makes of it.
 *
 * <p>It is no client as {@code simplechat.client} is one: it has thousands of members, looks into
 * no text but for its own stamp, and does nothing per message that would show in a figure. One
 * thread does all of it, and by default never sleeps while it measures, so that no wake-up of its
 * own lands on the server's account.
 */
@NullMarked
package simplechat.bench;

import org.jspecify.annotations.NullMarked;
