package io.barrage.gateway.auth;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.KeySpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the text form of keys (RFC 7468): {@code PUBLIC KEY}, {@code CERTIFICATE}, {@code PRIVATE KEY}. Other forms are refused
 * with the command that converts them.
 */
final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \\1-----", Pattern.DOTALL);

    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA");

    private Pem() {}

    /** Makes a key of a form's bytes. */
    private interface Reading<K> {
        K read(KeyFactory factory, KeySpec spec) throws InvalidKeySpecException;
    }

    /**
     * The public key of a {@code PUBLIC KEY} or of the first certificate.
     *
     * @throws IllegalArgumentException without any of the text in its message
     */
    static PublicKey publicKey(String text) {
        Matcher block = block(text);
        String form = block.group(1);
        byte[] bytes = bytes(block);
        if (form.equals("CERTIFICATE")) {
            try {
                return CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(bytes))
                        .getPublicKey();
            } catch (GeneralSecurityException e) {
                throw new IllegalArgumentException("the certificate can't be read", e);
            }
        }
        if (form.equals("PUBLIC KEY")) {
            return key(bytes, new X509EncodedKeySpec(bytes), KeyFactory::generatePublic);
        }
        if (form.equals("RSA PUBLIC KEY")) {
            throw new IllegalArgumentException(
                    "RSA PUBLIC KEY is a form that isn't read; convert it: openssl rsa -RSAPublicKey_in -pubout");
        }
        if (form.endsWith("PRIVATE KEY")) {
            throw new IllegalArgumentException("this is a private key, and checking needs only the public one:"
                    + " openssl pkey -in private.pem -pubout -out public.pem");
        }
        throw new IllegalArgumentException("expected a PUBLIC KEY or a CERTIFICATE, found " + form);
    }

    /**
     * The private key of a {@code PRIVATE KEY} (PKCS #8, not encrypted).
     *
     * @throws IllegalArgumentException without any of the text in its message
     */
    static PrivateKey privateKey(String text) {
        Matcher block = block(text);
        String form = block.group(1);
        if (form.equals("PRIVATE KEY")) {
            byte[] bytes = bytes(block);
            return key(bytes, new PKCS8EncodedKeySpec(bytes), KeyFactory::generatePrivate);
        }
        if (form.equals("EC PARAMETERS") || form.endsWith(" PRIVATE KEY")) {
            throw new IllegalArgumentException(
                    form + " is a form that isn't read; convert it: openssl pkcs8 -topk8 -nocrypt -in key.pem");
        }
        throw new IllegalArgumentException("expected a PRIVATE KEY, found " + form);
    }

    private static Matcher block(String text) {
        Matcher block = BLOCK.matcher(text);
        if (!block.find()) {
            throw new IllegalArgumentException("not a PEM file: there is no -----BEGIN ...----- with its -----END");
        }
        return block;
    }

    private static byte[] bytes(Matcher block) {
        try {
            return Base64.getMimeDecoder().decode(block.group(2));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("what stands in the PEM file isn't Base64", e);
        }
    }

    private static <K> K key(byte[] bytes, KeySpec spec, Reading<K> reading) {
        for (String algorithm : ALGORITHMS) {
            try {
                return reading.read(KeyFactory.getInstance(algorithm), spec);
            } catch (InvalidKeySpecException ignored) {
                // A key of another algorithm.
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK has " + algorithm, e);
            }
        }
        throw new IllegalArgumentException(
                "neither an RSA nor an EC nor an Ed25519 key, or a broken one (" + bytes.length + " bytes)");
    }
}
