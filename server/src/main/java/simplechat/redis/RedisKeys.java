package simplechat.redis;

/**
 * The names of what a room has in Redis; common.lua says what it is.
 *
 * @param prefix of all of them
 */
record RedisKeys(String prefix) {
  byte[] log() {
    return key("log");
  }

  byte[] lease(String node) {
    return key("lease:" + node);
  }

  /** What the names of all leases begin with. */
  byte[] leases() {
    return key("lease:");
  }

  /** As the scripts expect them. */
  byte[][] all(String node) {
    return new byte[][] {
      key("room"),
      log(),
      key("names"),
      key("sessions"),
      key("counts"),
      key("lost"),
      key("nodes"),
      lease(node)
    };
  }

  private byte[] key(String name) {
    return Request.bytes(prefix + ":" + name);
  }
}
