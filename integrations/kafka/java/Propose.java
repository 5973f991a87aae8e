// SPDX-License-Identifier: Apache-2.0
// One change over Kafka with Apache's client: java -cp 'jars/*' Propose.java METHOD TARGET BODY. Prints the reply.
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public final class Propose {
  private static final long DEADLINE_MS = 30_000;

  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    String prefix = env.getOrDefault("CLYRA_TOPIC_PREFIX", "clyra");
    String tenant = env.get("CLYRA_TENANT");
    String id = UUID.randomUUID().toString();
    Map<String, Object> brokers = Map.of("bootstrap.servers", env.get("KAFKA_BROKERS"));
    TopicPartition replies = new TopicPartition(prefix + ".replies." + tenant, 0);
    try (var consumer = new KafkaConsumer<>(brokers, new StringDeserializer(), new ByteArrayDeserializer());
        var producer = new KafkaProducer<>(brokers, new StringSerializer(), new ByteArraySerializer())) {
      // Read from where the topic ends now, so that no reply can come unseen.
      consumer.assign(List.of(replies));
      consumer.seekToEnd(List.of(replies));
      consumer.position(replies);
      byte[] body = args[2].getBytes(StandardCharsets.UTF_8);
      var record = new ProducerRecord<String, byte[]>(prefix + ".intents", body);
      for (var header : headers(env, id, args[0], args[1], body).entrySet()) {
        record.headers().add(header.getKey(), header.getValue().getBytes(StandardCharsets.UTF_8));
      }
      producer.send(record).get();
      long endMs = System.currentTimeMillis() + DEADLINE_MS;
      while (System.currentTimeMillis() < endMs) {
        for (var reply : consumer.poll(Duration.ofMillis(200))) {
          String text = new String(reply.value(), StandardCharsets.UTF_8);
          if (!id.equals(reply.key()) || !text.contains("\"authenticated\":true")) continue;
          System.out.println(text);
          return;
        }
      }
    }
    System.err.println("no reply in time");
    System.exit(1);
  }

  private static Map<String, String> headers(
      Map<String, String> env, String id, String method, String target, byte[] body) throws Exception {
    String tenant = env.get("CLYRA_TENANT");
    String actor = env.get("CLYRA_ACTOR");
    String timestamp = Long.toString(System.currentTimeMillis());
    String expiresAt = Long.toString(System.currentTimeMillis() + DEADLINE_MS);
    String nonce = UUID.randomUUID().toString();
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(body);
    String digest = "sha-256=:" + Base64.getEncoder().encodeToString(hash) + ":";
    String signed = String.join("\n",
        "clyra-intent-hmac-v0", method, target, tenant, actor, timestamp, nonce, id, "", digest, id, expiresAt, "");
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(Base64.getDecoder().decode(env.get("CLYRA_SECRET")), "HmacSHA256"));
    String signature = HexFormat.of().formatHex(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
    return Map.ofEntries(
        Map.entry("clyra-method", method),
        Map.entry("clyra-target", target),
        Map.entry("clyra-correlation-id", id),
        Map.entry("clyra-expires-at", expiresAt),
        Map.entry("x-tenant-id", tenant),
        Map.entry("x-actor-id", actor),
        Map.entry("x-clyra-key-id", env.get("CLYRA_KEY_ID")),
        Map.entry("x-clyra-timestamp", timestamp),
        Map.entry("x-clyra-nonce", nonce),
        Map.entry("idempotency-key", id),
        Map.entry("content-type", "application/json"),
        Map.entry("content-digest", digest),
        Map.entry("x-clyra-signature", signature));
  }
}
