package simplechat.cli;

import org.jspecify.annotations.Nullable;

/**
 * What was asked for on the command line, checked.
 *
 * @param admission what it takes to be let in
 * @param username null to ask for it
 * @param history past messages to ask for, null for as many as suit the screen
 * @param bell whether to ring when somebody says one's name
 * @param quiet whether to leave out who comes and goes
 * @param retry whether to go on trying while there is no way in
 * @param json whether the output is for a program
 * @param log whether a file is kept of what happens
 */
record Settings(
    String host,
    int port,
    Admission admission,
    @Nullable String username,
    @Nullable Integer history,
    boolean bell,
    boolean quiet,
    boolean retry,
    boolean json,
    boolean log) {}
