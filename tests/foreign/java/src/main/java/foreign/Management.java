package foreign;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.Map;

/** The management API of the organization, asked as its administrator. */
final class Management {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private Management() {}

    /** A key, and the id of its first public key. */
    record Key(String id, String publicKey) {}

    /** A key without a secret. */
    static Key newSigner(JWK publicKey) throws Exception {
        Map<String, Object> made = ask("POST", "keys", Map.of(
                "name", "signer",
                "project", "default",
                "environment", "prd",
                "preset", "query_only",
                "secret", false,
                "public_keys", List.of(Map.of("jwk", publicKey.toJSONObject()))));
        Map<?, ?> first = (Map<?, ?>) ((List<?>) made.get("public_keys")).get(0);
        return new Key(made.get("id").toString(), first.get("id").toString());
    }

    static void register(String key, JWK publicKey) throws Exception {
        ask("POST", "keys/" + key + "/public-keys", Map.of("jwk", publicKey.toJSONObject()));
    }

    static void remove(String key, String publicKey) throws Exception {
        ask("DELETE", "keys/" + key + "/public-keys/" + publicKey, Map.of());
    }

    private static Map<String, Object> ask(String method, String path, Map<String, Object> body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(World.ISSUER + "/v1/orgs/default/" + path))
                .header("Authorization", "Bearer " + World.env("CLAVIGER_ADMIN_KEY"))
                .header("Content-Type", "application/json")
                .method(method, body.isEmpty()
                        ? BodyPublishers.noBody()
                        : BodyPublishers.ofString(JSONObjectUtils.toJSONString(body)))
                .build();
        var answer = HTTP.send(request, BodyHandlers.ofString());
        Check.equal(method + " " + path + " is done: " + answer.body(), answer.statusCode() < 300, true);
        return answer.body().isEmpty() ? Map.of() : JSONObjectUtils.parse(answer.body());
    }
}
