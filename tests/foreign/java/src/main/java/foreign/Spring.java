package foreign;

import static foreign.Check.check;
import static foreign.Check.equal;
import static foreign.Check.refused;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.core.OAuth2AuthenticatedPrincipal;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.security.oauth2.core.endpoint.OAuth2AccessTokenResponse;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtDecoders;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtTimestampValidator;
import org.springframework.security.oauth2.jwt.JwtTypeValidator;
import org.springframework.security.oauth2.jwt.JwtValidationException;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.security.oauth2.server.resource.introspection.BadOpaqueTokenException;
import org.springframework.security.oauth2.server.resource.introspection.SpringOpaqueTokenIntrospector;
import org.springframework.web.client.HttpClientErrorException;

/** Tokens and introspection by Spring Security, verification by its decoder, which knows no EdDSA. */
final class Spring {
    private static final List<ClientAuthenticationMethod> METHODS = List.of(
            ClientAuthenticationMethod.CLIENT_SECRET_BASIC, ClientAuthenticationMethod.CLIENT_SECRET_POST);
    private static final boolean DECODES = SignatureAlgorithm.from(World.ALGORITHM) != null;

    private Spring() {}

    static void run() {
        for (ClientAuthenticationMethod method : METHODS) {
            String prefix = "Spring Security, " + method.getValue() + ": ";
            check(prefix + "a token" + (DECODES ? ", its decoder verifies it" : ""), () -> wholeToken(method));
            check(prefix + "narrowed by scope and resource", () -> narrowedToken(method));
            check(prefix + "a wrong secret is invalid_client", () -> wrongSecret(method));
        }
        check("Spring Security: an over-wide scope is invalid_scope", Spring::overwideScope);
        check("Spring Security: introspection, and a tampered token is inactive", Spring::introspection);

        if (!DECODES) {
            System.out.println("left out  Spring's decoder, which knows no " + World.ALGORITHM);
            return;
        }
        check("Spring's decoder: by the issuer's URL alone it takes no at+jwt", Spring::issuerAlone);
        check("Spring's decoder: as docs/resource-servers.md has it", Spring::asDocumented);
        check("Spring's decoder: another audience is refused", Spring::refusesAudience);
        check("Spring's decoder: another issuer is refused", Spring::refusesIssuer);
        check("Spring's decoder: a widened scope is refused", Spring::refusesForgedClaims);
        check("Spring's decoder: a changed signature is refused", Spring::refusesChangedSignature);
    }

    // Tokens

    private static void wholeToken(ClientAuthenticationMethod method) {
        expectToken(request(registration(method).build(), Map.of()), World.SCOPE);
    }

    private static void narrowedToken(ClientAuthenticationMethod method) {
        ClientRegistration narrowed = registration(method).scope(World.NARROW_SCOPE).build();
        expectToken(request(narrowed, Map.of("resource", World.AUDIENCE)), World.NARROW_SCOPE);
    }

    private static void wrongSecret(ClientAuthenticationMethod method) throws Exception {
        ClientRegistration impostor = registration(method).clientSecret(World.WRONG_KEY).build();
        OAuth2AuthorizationException error = expectRefusal(impostor);
        // Spring looks for an OAuth error in a 400 alone; RFC 6749 section 5.2 has this one in a 401.
        HttpClientErrorException.Unauthorized answer = (HttpClientErrorException.Unauthorized) error.getCause();
        equal("invalid_client in the answer", answer.getResponseBodyAsString().contains("\"invalid_client\""), true);
    }

    private static void overwideScope() throws Exception {
        ClientRegistration overwide = registration(METHODS.get(0)).scope(World.OVERWIDE_SCOPE).build();
        equal("error", expectRefusal(overwide).getError().getErrorCode(), "invalid_scope");
    }

    private static ClientRegistration.Builder registration(ClientAuthenticationMethod method) {
        return ClientRegistrations.fromIssuerLocation(World.ISSUER)
                .registrationId("claviger")
                .clientId(World.CLIENT_ID)
                .clientSecret(World.API_KEY)
                .clientAuthenticationMethod(method)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS);
    }

    private static OAuth2AccessTokenResponse request(ClientRegistration registration, Map<String, String> parameters) {
        RestClientClientCredentialsTokenResponseClient client = new RestClientClientCredentialsTokenResponseClient();
        client.setParametersCustomizer(form -> form.setAll(parameters));
        return client.getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration));
    }

    private static OAuth2AuthorizationException expectRefusal(ClientRegistration registration) throws Exception {
        return refused(OAuth2AuthorizationException.class, () -> request(registration, Map.of()));
    }

    private static void expectToken(OAuth2AccessTokenResponse response, String scope) {
        equal("scope of the answer", joined(response.getAccessToken().getScopes()), scope);
        if (!DECODES) {
            return;
        }
        Jwt token = decoder(World.ISSUER, World.AUDIENCE).decode(response.getAccessToken().getTokenValue());
        equal("lifetime", Duration.between(token.getIssuedAt(), token.getExpiresAt()), Duration.ofMinutes(10));
        equal("sub", token.getSubject(), World.CLIENT_ID);
        equal("client_id", token.getClaimAsString("client_id"), World.CLIENT_ID);
        equal("aud", token.getAudience(), List.of(World.AUDIENCE));
        equal("scope", token.getClaimAsString("scope"), scope);
        equal("cidrs", token.getClaimAsStringList("cidrs"), World.CIDRS);
    }

    private static String goodToken() {
        return request(registration(METHODS.get(0)).build(), Map.of()).getAccessToken().getTokenValue();
    }

    // Introspection

    private static void introspection() throws Exception {
        SpringOpaqueTokenIntrospector introspector = SpringOpaqueTokenIntrospector
                .withIntrospectionUri(registration(METHODS.get(0)).build().getProviderDetails()
                        .getConfigurationMetadata().get("introspection_endpoint").toString())
                .clientId(World.RESOURCE_SERVER_ID)
                .clientSecret(World.RESOURCE_SERVER_KEY)
                .build();

        String token = goodToken();
        OAuth2AuthenticatedPrincipal principal = introspector.introspect(token);
        equal("introspected sub", principal.getAttribute("sub"), World.CLIENT_ID);
        equal("introspected scope", joined(principal.<List<String>>getAttribute("scope")), World.SCOPE);
        refused(BadOpaqueTokenException.class, () -> introspector.introspect(World.withChangedSignature(token)));
    }

    // Verification

    /** Strict about at+jwt: Spring's default validators take plain JWTs alone. */
    private static NimbusJwtDecoder decoder(String issuer, String audience) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(World.ISSUER)
                .jwsAlgorithm(SignatureAlgorithm.from(World.ALGORITHM))
                .build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
                .issuer(issuer)
                .audience(audience)
                .clientId(World.CLIENT_ID)
                .build());
        return decoder;
    }

    /** What `issuer-uri` alone makes. RFC 9068 section 2.1 has another type than it takes. */
    private static void issuerAlone() throws Exception {
        String token = goodToken();
        JwtDecoder decoder = JwtDecoders.fromIssuerLocation(World.ISSUER);
        JwtValidationException error = refused(JwtValidationException.class, () -> decoder.decode(token));
        equal("it is about the type", error.getMessage().contains("typ"), true);
    }

    private static void asDocumented() throws Exception {
        String token = goodToken();
        equal("sub", jwtDecoder(World.ISSUER, World.AUDIENCE).decode(token).getSubject(), World.CLIENT_ID);
        JwtDecoder other = jwtDecoder(World.ISSUER, "https://other.example/api");
        refused(JwtValidationException.class, () -> other.decode(token));
        String forged = World.withChangedSignature(token);
        refused(BadJwtException.class, () -> jwtDecoder(World.ISSUER, World.AUDIENCE).decode(forged));
    }

    /** The bean of docs/resource-servers.md, which has ES256. */
    static JwtDecoder jwtDecoder(String issuer, String audience) {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(issuer)
                .jwsAlgorithm(SignatureAlgorithm.from(World.ALGORITHM))
                .build();
        decoder.setJwtValidator(new DelegatingOAuth2TokenValidator<>(
                new JwtTypeValidator("at+jwt"),
                new JwtTimestampValidator(),
                new JwtIssuerValidator(issuer),
                new JwtClaimValidator<List<String>>("aud", aud -> aud != null && aud.contains(audience))));
        return decoder;
    }

    private static void refusesAudience() throws Exception {
        String token = goodToken();
        NimbusJwtDecoder decoder = decoder(World.ISSUER, "https://other.example/api");
        refused(JwtValidationException.class, () -> decoder.decode(token));
    }

    private static void refusesIssuer() throws Exception {
        String token = goodToken();
        NimbusJwtDecoder decoder = decoder("https://other.example", World.AUDIENCE);
        refused(JwtValidationException.class, () -> decoder.decode(token));
    }

    private static void refusesForgedClaims() throws Exception {
        String token = World.withWidenedScope(goodToken());
        refused(BadJwtException.class, () -> decoder(World.ISSUER, World.AUDIENCE).decode(token));
    }

    private static void refusesChangedSignature() throws Exception {
        String token = World.withChangedSignature(goodToken());
        refused(BadJwtException.class, () -> decoder(World.ISSUER, World.AUDIENCE).decode(token));
    }

    private static String joined(Iterable<String> scopes) {
        TreeSet<String> sorted = new TreeSet<>();
        scopes.forEach(sorted::add);
        return String.join(" ", sorted);
    }
}
