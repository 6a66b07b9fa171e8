/**
 * What is to be seen of a server from outside: its figures.
 *
 * <p>This package is told everything and asks for nothing: it knows neither the room nor its
 * connections. In its figures are numbers and the names of codes, never the name or the address of
 * a person.
 */
@NullMarked
package simplechat.status;

import org.jspecify.annotations.NullMarked;
