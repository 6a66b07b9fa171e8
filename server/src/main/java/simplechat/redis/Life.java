package simplechat.redis;

import java.util.List;

/** What the node's life means for those on it. */
interface Life {
  /** These go out now, so numbered; perhaps again. */
  void sending(long number, List<Request> call);

  /** What came of a request that is the outbox's no more. */
  void done(long number, Request request, long result);

  /** It was taken, but what came of it is to be seen in the stream up to this position. */
  void takenUnseen(long number, Request request, long end);

  /** It will not be asked any more: it was asked under a name that is not ours any more. */
  void forgotten(Request request);

  /** Everything that was asked under the node's name has no effect any more. */
  void renamed(String why);

  /** So far the room goes at this moment. */
  void looked(long end);

  /** Something was read, or something else has changed. */
  void moved();

  void ticked();
}
