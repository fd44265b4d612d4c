import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Receives webhooks of Holdfast with nothing but the JDK (11 or newer): verifies, works, notes, and answers.
 *
 * <pre>WEBHOOK_SECRET=whsec_... java Receiver.java 8000 inbox.txt</pre>
 *
 * What matters is the order: nothing of a request is believed before its signature is verified over the very bytes that
 * came, and the answer leaves when the work is done and noted: an event that is not answered within 15 seconds comes again.
 */
public final class Receiver {
    private static final int BODY_BYTES_MAX = 256_000; // Holdfast sends no more
    private static final long TOLERANCE_S = 300;

    private final byte[] secret;
    private final Inbox inbox;

    private Receiver(byte[] secret, Inbox inbox) {
        this.secret = secret;
        this.inbox = inbox;
    }

    /** Whether a body was signed with the secret, at most five minutes ago (Standard Webhooks 1.0.0). */
    private static boolean isVerified(byte[] secret, String id, String timestamp, String signatures, byte[] body)
            throws GeneralSecurityException {
        if (id == null || timestamp == null || signatures == null || !timestamp.matches("[0-9]{1,12}")) {
            return false;
        }
        if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE_S) {
            return false;
        }
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        byte[] expected = mac.doFinal(body); // as it came: JSON that is parsed and written again is another
        boolean found = false;
        for (String one : signatures.split(" ")) { // several while a secret is rotated; one of ours is enough
            found |= one.startsWith("v1,") && MessageDigest.isEqual(decoded(one.substring(3)), expected);
        }
        return found;
    }

    private static byte[] decoded(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException error) {
            return new byte[0];
        }
    }

    /**
     * Your work: the body is JSON, with `type`, `subject`, `data` and `cursor`, for the library that you use. What takes longer
     * than a few seconds belongs in a queue of yours, and is put there here. It is done twice for one event where the machine
     * stops between the work and the note.
     */
    private static void handle(String id, String body) {
        System.out.println(id + " " + body);
    }

    private void receive(HttpExchange exchange) throws IOException {
        int status = 500; // it comes again
        try (exchange) {
            try {
                status = answerTo(exchange);
            } catch (GeneralSecurityException | IOException error) {
                error.printStackTrace();
            }
            exchange.sendResponseHeaders(status, -1);
        }
    }

    private int answerTo(HttpExchange exchange) throws GeneralSecurityException, IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            return 405;
        }
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) {
            return 413;
        }
        var headers = exchange.getRequestHeaders();
        String id = headers.getFirst("webhook-id");
        if (!isVerified(
                secret, id, headers.getFirst("webhook-timestamp"), headers.getFirst("webhook-signature"), body)) {
            return 401;
        }
        inbox.once(id, new String(body, StandardCharsets.UTF_8));
        return 204;
    }

    /** Events that came, each once however often it was sent, a line each; a database of yours would have a table. */
    private static final class Inbox {
        private final FileChannel file;
        private final Set<String> known = new HashSet<>();

        private Inbox(Path path) throws IOException {
            file = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            ByteBuffer kept = ByteBuffer.allocate((int) file.size());
            while (kept.hasRemaining() && file.read(kept) >= 0) {
                continue;
            }
            String text = new String(kept.array(), StandardCharsets.UTF_8);
            String whole = text.substring(0, text.lastIndexOf('\n') + 1);
            whole.lines().forEach(line -> known.add(line.split("\t", 2)[0]));
            file.truncate(whole.getBytes(StandardCharsets.UTF_8).length); // a line cut off was never answered
            file.position(file.size());
        }

        /** Do the work for an event that is not known, and note it with the cursor that is in it. */
        private synchronized void once(String id, String body) throws IOException {
            if (known.contains(id)) {
                return;
            }
            handle(id, body);
            ByteBuffer line = ByteBuffer.wrap((id + "\t" + body + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) {
                file.write(line);
            }
            file.force(false); // answered only when no loss of power undoes it
            known.add(id);
        }
    }

    public static void main(String[] arguments) throws IOException {
        String text = System.getenv().getOrDefault("WEBHOOK_SECRET", "");
        if (arguments.length != 2 || !text.startsWith("whsec_")) {
            System.err.println("usage: WEBHOOK_SECRET=whsec_... java Receiver.java PORT FILE");
            System.exit(2);
        }
        int port = Integer.parseInt(arguments[0]);
        byte[] secret = Base64.getDecoder().decode(text.substring("whsec_".length()));
        Receiver receiver = new Receiver(secret, new Inbox(Path.of(arguments[1])));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", receiver::receive);
        server.start();
        System.out.println("ready on 127.0.0.1:" + port);
    }
}
