package simplechat;

import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import simplechat.support.Load;
import simplechat.support.Shape;
import simplechat.support.TestTls;

/**
 * K1: what is promised without TLS is promised with it. With {@code -Dchat.tls=true} every test
 * whose peers are in this process runs like this.
 */
// The same tests on another kind of connection: to call them is the point.
@SuppressWarnings("JUnitMethodInvoked")
class OverTlsTest {
  @BeforeEach
  void speakTls() {
    TestTls.use();
  }

  @AfterEach
  void speakPlainly() {
    TestTls.unuse();
  }

  @TestFactory
  Stream<DynamicTest> conversationsAreAnsweredAsWritten() {
    return new ProtocolConformanceTest().whatIsSentWholeIsAnsweredAsWritten();
  }

  @Test
  void everybodySeesOneOrder() {
    new DeliveryTest().aRefusedTextReachesNobodyAndUsesUpItsNumber(Shape.TWO_LOOPS);
    new DeliveryTest().aMemberGetsNothingOfItsOwnSessionButWhatAnEarlierOneOfItsNameSaid();
  }

  @Test
  void aFrameIsNeverTorn() {
    new GapTest().aFrameIsNeverTorn(Shape.ONE_LOOP);
  }

  @Test
  void whoIsTooSlowIsToldOrClosed() {
    if (Load.isFull()) { // takes ten seconds, and what it shows is not the line's
      new GapTest().aMemberThatFallsOutOfTheLogIsToldExactlyWhatIsGone(Shape.ONE_LOOP);
    }
    new GapTest().aMemberThatTakesNothingIsClosedAsSlow();
  }

  @Test
  void whoComesBackMissesNothing() {
    new ResumeTest().whatWasCutOffIsSentAgainAndSeenOnce(Shape.ONE_LOOP);
    new ResumeTest().aResumeReplacesTheConnectionThatStillLives(Shape.TWO_LOOPS);
    new ResumeTest().aTokenIsForgottenWhenItsTimeIsOver();
  }

  @Test
  void theDoorIsKept() throws Exception {
    LifeCycleTest lives = new LifeCycleTest();
    lives.whoIsTooManyIsToldAndGetsInWhenAnotherLeaves(1);
    lives.aFullServerCanBeStopped();
    lives.whoIsStillJoiningIsToldToComeBack(2);
  }
}
