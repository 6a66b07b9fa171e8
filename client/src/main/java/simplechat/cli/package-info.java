/**
 * The terminal program {@code ./chat client}: the only place that knows JLine and picocli.
 *
 * <pre>
 *   main            input                       event loop                 chat-printer
 *   ----            -----                       ----------                 ------------
 *   ClientMain
 *     Visit --- starts ---> PromptInput
 *      |                    or PipeInput
 *      | waits for             | Command
 *      | the end               v
 *      |                 Conversation &lt;--- ChatClient ---&gt; Conversation
 *      |                       |                              | Transcript
 *      |                       +----------- Line -------------+-----------&gt; Printer
 *      v                                                                     |
 *   exit code                                              TerminalScreen or PlainScreen
 * </pre>
 *
 * <p>Whatever is shown is a {@link simplechat.cli.Line}, and the only way into a line is through
 * the {@link simplechat.cli.Sanitiser}: nothing that was received reaches a terminal as it came.
 * {@link simplechat.cli.Rows} keeps a terminal from wrapping by itself, so nobody's text can begin
 * a row.
 *
 * <p>A lost connection is the library's to replace. {@link simplechat.cli.Conversation} says so, in
 * a line and in the prompt, and {@link simplechat.cli.Visit} decides how long it may take and asks
 * for another name if the old one was taken meanwhile.
 *
 * <p>Only the main thread waits, and only the printer touches the screen; it does so above the line
 * that is being edited. A screen that is slow or stuck makes the client read less from the network,
 * and nothing else. All threads but main are daemons, so that no exit waits for a key or for a
 * peer. A stop from the terminal or from outside ({@link simplechat.cli.JobControl}) holds the lock
 * of the reader, so nothing is printed on a terminal that was given back.
 */
@NullMarked
package simplechat.cli;

import org.jspecify.annotations.NullMarked;
