package foreign;

import static foreign.Check.check;
import static foreign.Check.equal;
import static foreign.Check.refused;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.JWKGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.auth.JWTAuthenticationClaimsSet;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.ClientID;
import java.net.URI;
import java.util.List;
import java.util.function.Consumer;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter.JwtClientAuthenticationContext;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;
import org.springframework.web.client.HttpClientErrorException;

/**
 * Clients that hold a private key, as the Java world knows them: Spring Security and Nimbus' OAuth SDK sign the
 * assertions, Spring's decoder verifies the tokens. One line for each check; exit code 1 when one failed.
 */
public final class PrivateKey {
    private static final boolean TAKES_TOKEN_ENDPOINT =
            World.env("CLAVIGER_ASSERTION_AUDIENCE").equals("token-endpoint-too");
    private static final String NOT_FOR_HERE = "`aud` is not the issuer's URL alone";

    private static final List<JWSAlgorithm> ALGORITHMS =
            List.of(JWSAlgorithm.ES256, JWSAlgorithm.ES384, JWSAlgorithm.PS256, JWSAlgorithm.RS256);

    private PrivateKey() {}

    public static void main(String[] arguments) {
        for (JWSAlgorithm algorithm : ALGORITHMS) {
            check("Spring Security, " + algorithm + ": a token by a registered key, refused once it is removed",
                    () -> registered(algorithm, Spring::new));
            check("Nimbus SDK, " + algorithm + ": a token by a registered key, refused once it is removed",
                    () -> registered(algorithm, Nimbus::new));
        }
        check("Spring Security as it comes: it names the token endpoint, which needs the setting",
                () -> needsTheSetting((id, pair) -> new Spring(id, pair, context -> {})));
        check("Nimbus SDK for the token endpoint: it needs the setting",
                () -> needsTheSetting((id, pair) -> new Nimbus(id, pair, tokenEndpoint(id))));
        Check.end();
    }

    /** A library that gets tokens for a client. */
    interface Library {
        String token() throws Exception;

        /** What a client is told that gets none. */
        String refusal() throws Exception;
    }

    interface Maker {
        Library make(String clientId, JWK pair) throws Exception;
    }

    private static void registered(JWSAlgorithm algorithm, Maker maker) throws Exception {
        JWK first = pair(algorithm);
        JWK second = pair(algorithm);
        Management.Key key = Management.newSigner(first.toPublicJWK());
        Library byFirst = maker.make(key.id(), first);
        expectToken(byFirst, key.id());

        Management.register(key.id(), second.toPublicJWK());
        Library bySecond = maker.make(key.id(), second);
        expectToken(bySecond, key.id());

        Management.remove(key.id(), key.publicKey());
        expectRefusal(byFirst, "client authentication failed");
        expectToken(bySecond, key.id());
    }

    private static void needsTheSetting(Maker maker) throws Exception {
        JWK pair = pair(JWSAlgorithm.ES256);
        Management.Key key = Management.newSigner(pair.toPublicJWK());
        Library library = maker.make(key.id(), pair);
        if (TAKES_TOKEN_ENDPOINT) {
            expectToken(library, key.id());
        } else {
            expectRefusal(library, NOT_FOR_HERE);
        }
    }

    private static JWK pair(JWSAlgorithm algorithm) throws JOSEException {
        JWKGenerator<? extends JWK> generator = JWSAlgorithm.Family.EC.contains(algorithm)
                ? new ECKeyGenerator(Curve.forJWSAlgorithm(algorithm).iterator().next())
                : new RSAKeyGenerator(2048);
        return generator.algorithm(algorithm).generate();
    }

    private static void expectToken(Library library, String clientId) throws Exception {
        NimbusJwtDecoder decoder = NimbusJwtDecoder.withIssuerLocation(World.ISSUER)
                .jwsAlgorithm(SignatureAlgorithm.from(World.ALGORITHM))
                .build();
        decoder.setJwtValidator(JwtValidators.createAtJwtValidator()
                .issuer(World.ISSUER)
                .audience(World.AUDIENCE)
                .clientId(clientId)
                .build());
        Jwt token = decoder.decode(library.token());
        equal("sub", token.getSubject(), clientId);
        equal("scope", token.getClaimAsString("scope"), "read:*");
    }

    private static void expectRefusal(Library library, String description) throws Exception {
        String refusal = library.refusal();
        equal("invalid_client in " + refusal, refusal.contains("invalid_client"), true);
        equal(description + " in " + refusal, refusal.contains(description), true);
    }

    private static ClientRegistration registration(String clientId) {
        return ClientRegistrations.fromIssuerLocation(World.ISSUER)
                .registrationId("claviger")
                .clientId(clientId)
                .clientAuthenticationMethod(ClientAuthenticationMethod.PRIVATE_KEY_JWT)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .build();
    }

    private static String tokenEndpoint(String clientId) {
        return registration(clientId).getProviderDetails().getTokenUri();
    }

    /** Spring Security, which names the token endpoint unless it is told the issuer as docs/clients.md has it. */
    private record Spring(
            String clientId,
            JWK pair,
            Consumer<JwtClientAuthenticationContext<OAuth2ClientCredentialsGrantRequest>> custom)
            implements Library {

        Spring(String clientId, JWK pair) {
            this(clientId, pair, context -> context.getClaims().audience(List.of(World.ISSUER)));
        }

        @Override
        public String token() {
            var assertions = new NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest>(
                    registration -> pair);
            assertions.setJwtClientAssertionCustomizer(custom);
            var client = new RestClientClientCredentialsTokenResponseClient();
            client.addParametersConverter(assertions);
            var request = new OAuth2ClientCredentialsGrantRequest(registration(clientId));
            return client.getTokenResponse(request).getAccessToken().getTokenValue();
        }

        @Override
        public String refusal() throws Exception {
            var error = refused(OAuth2AuthorizationException.class, this::token);
            return ((HttpClientErrorException) error.getCause()).getResponseBodyAsString();
        }
    }

    /** Nimbus' OAuth SDK, which is told the audience. */
    private record Nimbus(String clientId, JWK pair, String audience) implements Library {

        Nimbus(String clientId, JWK pair) {
            this(clientId, pair, World.ISSUER);
        }

        @Override
        public String token() throws Exception {
            return send().toSuccessResponse().getTokens().getAccessToken().getValue();
        }

        @Override
        public String refusal() throws Exception {
            return send().toErrorResponse().getErrorObject().toJSONObject().toString();
        }

        private TokenResponse send() throws Exception {
            var claims = new JWTAuthenticationClaimsSet(new ClientID(clientId), new Audience(audience));
            var algorithm = JWSAlgorithm.parse(pair.getAlgorithm().getName());
            var key = pair instanceof ECKey ec ? ec.toECPrivateKey() : pair.toRSAKey().toRSAPrivateKey();
            var method = new PrivateKeyJWT(claims, algorithm, key, null, null);
            var endpoint = URI.create(tokenEndpoint(clientId));
            return TokenResponse.parse(
                    new TokenRequest(endpoint, method, new ClientCredentialsGrant()).toHTTPRequest().send());
        }
    }
}
