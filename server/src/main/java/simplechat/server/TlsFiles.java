package simplechat.server;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files that make a server known: PEM, as everybody has them.
 *
 * @param certificates the server's first, then those that lead to one that clients know
 * @param key the private key of the first certificate, not encrypted: PKCS #8, PKCS #1 or SEC 1
 */
public record TlsFiles(Path certificates, Path key) {
  private static final Pattern KEY =
      Pattern.compile(
          "-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");

  private static final int DER_SEQUENCE = 0x30;
  private static final byte[] DER_VERSION_0 = {0x02, 0x01, 0x00};
  private static final int DER_OCTETS = 0x04;

  /** What is in them. */
  record Content(PrivateKey key, List<X509Certificate> chain) {}

  /**
   * Reads and checks them; waits for the disk.
   *
   * @throws IOException if one cannot be read or they do not fit, in a line that names it
   */
  Content read() throws IOException {
    List<X509Certificate> chain = chain();
    PublicKey known = chain.get(0).getPublicKey();
    PrivateKey secret = key(known);
    if (!fits(secret, known)) {
      throw new IOException(key + " is not the key of " + certificates);
    }
    return new Content(secret, chain);
  }

  /** Tells one state of the files from another. */
  String state() {
    return state(certificates) + " " + state(key);
  }

  private List<X509Certificate> chain() throws IOException {
    byte[] content = SecretFile.read(certificates);
    try {
      List<X509Certificate> chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(content))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (!chain.isEmpty()) {
        return chain;
      }
    } catch (CertificateException e) {
      throw new IOException("no certificate in " + certificates, e);
    }
    throw new IOException("no certificate in " + certificates);
  }

  private PrivateKey key(PublicKey known) throws IOException {
    String content = new String(SecretFile.read(key), StandardCharsets.ISO_8859_1);
    Matcher pem = KEY.matcher(content);
    if (!pem.find()) {
      boolean encrypted = content.contains("ENCRYPTED");
      throw new IOException((encrypted ? "an encrypted key in " : "no private key in ") + key);
    }
    try {
      byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
      byte[] pkcs8 = pem.group(1).equals("PRIVATE KEY") ? der : pkcs8(der, known);
      return KeyFactory.getInstance(known.getAlgorithm())
          .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(key + " is not the key of " + certificates, e);
    }
  }

  /** The older forms leave out of which kind the key is, which the certificate knows too. */
  private static byte[] pkcs8(byte[] der, PublicKey known) {
    byte[] spki = known.getEncoded();
    int algorithmAt = 1 + lengthBytes(spki, 1);
    int algorithmBytes = 1 + lengthBytes(spki, algorithmAt + 1) + length(spki, algorithmAt + 1);
    byte[] octets = tagged(DER_OCTETS, der);
    ByteBuffer body = ByteBuffer.allocate(DER_VERSION_0.length + algorithmBytes + octets.length);
    body.put(DER_VERSION_0).put(spki, algorithmAt, algorithmBytes).put(octets);
    return tagged(DER_SEQUENCE, body.array());
  }

  private static byte[] tagged(int tag, byte[] body) {
    ByteBuffer out = ByteBuffer.allocate(4 + body.length);
    return out.put((byte) tag).put((byte) 0x82).putShort((short) body.length).put(body).array();
  }

  private static int lengthBytes(byte[] der, int at) {
    return (der[at] & 0x80) == 0 ? 1 : 1 + (der[at] & 0x7F);
  }

  private static int length(byte[] der, int at) {
    int length = der[at] & 0xFF;
    if (length < 0x80) {
      return length;
    }
    int value = 0;
    for (int i = 1; i <= (length & 0x7F); i++) {
      value = (value << 8) | (der[at + i] & 0xFF);
    }
    return value;
  }

  private static boolean fits(PrivateKey secret, PublicKey known) {
    String algorithm =
        switch (known.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> known.getAlgorithm();
        };
    try {
      byte[] text = {1, 2, 3};
      Signature signing = Signature.getInstance(algorithm);
      signing.initSign(secret);
      signing.update(text);
      Signature verifying = Signature.getInstance(algorithm);
      verifying.initVerify(known);
      verifying.update(text);
      return verifying.verify(signing.sign());
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static String state(Path file) {
    try {
      return Files.getLastModifiedTime(file) + "/" + Files.size(file);
    } catch (IOException e) {
      return "unreadable";
    }
  }
}
