package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CommandTest {
  @Test
  void whatStandsBehindSendIsTheText() {
    assertThat(Command.parse("send hello  world ")).isEqualTo(new Command.Send("hello  world "));
    assertThat(Command.parse("  SEND x")).isEqualTo(new Command.Send("x"));
    assertThat(Command.parse("send  two")).isEqualTo(new Command.Send(" two"));
    assertThat(Command.parse("Send leave")).isEqualTo(new Command.Send("leave"));
  }

  @Test
  void commandsAreKnownInAnyCase() {
    assertThat(Command.parse("LEAVE")).isEqualTo(new Command.Leave());
    assertThat(Command.parse(" Who ")).isEqualTo(new Command.Who());
    assertThat(Command.parse("help")).isEqualTo(new Command.Help());
    assertThat(Command.parse(" \t")).isEqualTo(new Command.Nothing());
  }

  @Test
  void anythingElseIsAnsweredWithWhatThereIs() {
    assertThat(Command.parse("send")).isEqualTo(new Command.Wrong("usage: send <message>"));
    assertThat(Command.parse("send   ")).isEqualTo(new Command.Wrong("usage: send <message>"));
    assertThat(Command.parse("snd hello"))
        .isEqualTo(
            new Command.Wrong("unknown command 'snd' - use: send <message>, who, leave, help"));
    assertThat(Command.parse("x".repeat(100)).toString()).contains("x".repeat(20) + "…'");
  }

  @Test
  void whyATextCannotBeSentIsSaid() {
    assertThat(Command.fault("a\tb\nc", 5)).isNull();
    assertThat(Command.fault(" \n", 5)).isEqualTo("a message needs a visible character");
    assertThat(Command.fault("123456", 5)).isEqualTo("longer than 5 bytes");
    assertThat(Command.fault("a\t\u009b\u0007", 9))
        .isEqualTo("control characters cannot be sent: U+009B");
    assertThat(Command.fault("a\ud83d", 9)).isEqualTo("it is not valid Unicode");
  }
}
