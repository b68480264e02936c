package foreign;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** What the programs are told by the environment (see ../README.md), and how tokens are tampered with. */
final class World {
    static final String ISSUER = env("CLAVIGER_ISSUER");
    static final String CLIENT_ID = env("CLAVIGER_CLIENT_ID");
    static final String API_KEY = env("CLAVIGER_API_KEY");
    static final String AUDIENCE = env("CLAVIGER_AUDIENCE");
    static final String ALGORITHM = env("CLAVIGER_ALGORITHM");
    static final List<String> CIDRS = List.of(env("CLAVIGER_CIDRS").split(" "));
    static final String RESOURCE_SERVER_ID = env("CLAVIGER_RS_CLIENT_ID");
    static final String RESOURCE_SERVER_KEY = env("CLAVIGER_RS_API_KEY");

    static final String[] SCOPES = sorted(env("CLAVIGER_SCOPES").split(" "));
    static final String SCOPE = String.join(" ", SCOPES);
    static final String NARROW_SCOPE = SCOPES[SCOPES.length - 1];
    static final String OVERWIDE_SCOPE = "admin:*";
    static final String WRONG_KEY = changed(API_KEY, API_KEY.length() - 1);

    private World() {}

    /** The token with every right in its scope, under its old signature. */
    static String withWidenedScope(String token) {
        String[] parts = token.split("\\.");
        String claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        String widened = claims.replaceFirst("\"scope\":\\s*\"[^\"]*\"", "\"scope\":\"*:*\"");
        Check.equal("the forged claims differ", !widened.equals(claims), true);
        String forged = Base64.getUrlEncoder().withoutPadding().encodeToString(widened.getBytes(StandardCharsets.UTF_8));
        return parts[0] + "." + forged + "." + parts[2];
    }

    /** The token with one character of its signature changed. */
    static String withChangedSignature(String token) {
        return changed(token, token.lastIndexOf('.') + 10);
    }

    private static String changed(String text, int at) {
        char other = text.charAt(at) == 'a' ? 'b' : 'a';
        return text.substring(0, at) + other + text.substring(at + 1);
    }

    private static String[] sorted(String[] scopes) {
        Arrays.sort(scopes);
        return scopes;
    }

    static String env(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalStateException(name + " is not set");
        }
        return value;
    }
}
