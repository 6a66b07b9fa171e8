package simplechat.server;

/** How far a connection has come. */
enum ConnectionState {
  /** Nobody yet. */
  STRANGER,
  /** The room was asked and has not answered. */
  JOINING,
  JOINED,
  /** LEAVE came; the room has not answered. */
  LEAVING,
  /** The last frame is decided; input is thrown away. */
  ENDING
}
