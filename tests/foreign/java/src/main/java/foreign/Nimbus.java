package foreign;

import static foreign.Check.check;
import static foreign.Check.equal;
import static foreign.Check.refused;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.BadJWSException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.ErrorObject;
import com.nimbusds.oauth2.sdk.OAuth2Error;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenIntrospectionSuccessResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import java.net.URI;
import java.text.ParseException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/** Tokens, introspection and revocation by the OAuth 2.0 SDK, verification by JOSE+JWT. */
final class Nimbus {
    private static final Set<String> REQUIRED_CLAIMS = Set.of("sub", "iat", "exp", "jti", "client_id");

    private static AuthorizationServerMetadata metadata;
    private static JWKSource<SecurityContext> keys;

    private Nimbus() {}

    static void run() throws Exception {
        metadata = AuthorizationServerMetadata.resolve(new Issuer(World.ISSUER));
        keys = JWKSourceBuilder.create(metadata.getJWKSetURI().toURL()).build();

        runMethod("Basic", ClientSecretBasic::new);
        runMethod("body", ClientSecretPost::new);
        check("Nimbus SDK: introspection with the API key as Bearer", Nimbus::introspectionByBearer);

        check("Nimbus JOSE+JWT: another audience is refused", Nimbus::refusesAudience);
        check("Nimbus JOSE+JWT: another issuer is refused", Nimbus::refusesIssuer);
        check("Nimbus JOSE+JWT: as another type of token it is refused", Nimbus::refusesType);
        check("Nimbus JOSE+JWT: a widened scope is refused", Nimbus::refusesForgedClaims);
        check("Nimbus JOSE+JWT: a changed signature is refused", Nimbus::refusesChangedSignature);
    }

    private static void runMethod(String name, BiFunction<ClientID, Secret, ClientAuthentication> method) {
        ClientAuthentication client = method.apply(new ClientID(World.CLIENT_ID), new Secret(World.API_KEY));
        ClientAuthentication impostor = method.apply(new ClientID(World.CLIENT_ID), new Secret(World.WRONG_KEY));
        ClientAuthentication resourceServer =
                method.apply(new ClientID(World.RESOURCE_SERVER_ID), new Secret(World.RESOURCE_SERVER_KEY));
        String prefix = "Nimbus SDK, " + name + ": ";

        check(prefix + "a token, Nimbus JOSE+JWT verifies it", () -> wholeToken(client));
        check(prefix + "narrowed by scope and resource", () -> narrowedToken(client));
        check(prefix + "a wrong secret is invalid_client", () -> wrongSecret(impostor));
        check(prefix + "an over-wide scope is invalid_scope", () -> overwideScope(client));
        check(prefix + "introspection, revocation, inactive", () -> revocation(client, resourceServer));
    }

    // Tokens

    private static void wholeToken(ClientAuthentication client) throws Exception {
        expectToken(request(tokenRequest(client)), World.SCOPE);
    }

    private static void narrowedToken(ClientAuthentication client) throws Exception {
        TokenRequest.Builder narrowed =
                tokenRequest(client).scope(new Scope(World.NARROW_SCOPE)).resources(URI.create(World.AUDIENCE));
        expectToken(request(narrowed), World.NARROW_SCOPE);
    }

    private static void wrongSecret(ClientAuthentication impostor) throws Exception {
        ErrorObject error = request(tokenRequest(impostor)).toErrorResponse().getErrorObject();
        equal("error", error, OAuth2Error.INVALID_CLIENT);
        equal("status", error.getHTTPStatusCode(), 401);
    }

    private static void overwideScope(ClientAuthentication client) throws Exception {
        TokenRequest.Builder overwide = tokenRequest(client).scope(new Scope(World.OVERWIDE_SCOPE));
        equal("error", request(overwide).toErrorResponse().getErrorObject(), OAuth2Error.INVALID_SCOPE);
    }

    private static TokenRequest.Builder tokenRequest(ClientAuthentication client) {
        return new TokenRequest.Builder(metadata.getTokenEndpointURI(), client, new ClientCredentialsGrant());
    }

    private static TokenResponse request(TokenRequest.Builder request) throws Exception {
        return TokenResponse.parse(request.build().toHTTPRequest().send());
    }

    private static void expectToken(TokenResponse response, String scope) throws Exception {
        AccessToken token = response.toSuccessResponse().getTokens().getBearerAccessToken();
        equal("scope of the answer", token.getScope().toString(), scope);

        JWTClaimsSet claims = verify(token.getValue());
        long lifetime = (claims.getExpirationTime().getTime() - claims.getIssueTime().getTime()) / 1000;
        equal("expires_in", token.getLifetime(), lifetime);
        equal("sub", claims.getSubject(), World.CLIENT_ID);
        equal("client_id", claims.getStringClaim("client_id"), World.CLIENT_ID);
        equal("aud", claims.getAudience(), List.of(World.AUDIENCE));
        equal("scope", claims.getStringClaim("scope"), scope);
        equal("cidrs", claims.getStringListClaim("cidrs"), World.CIDRS);
    }

    private static String goodToken() throws Exception {
        ClientAuthentication client = new ClientSecretBasic(new ClientID(World.CLIENT_ID), new Secret(World.API_KEY));
        String token = request(tokenRequest(client)).toSuccessResponse().getTokens().getAccessToken().getValue();
        verify(token);
        return token;
    }

    // Introspection and revocation

    private static void revocation(ClientAuthentication client, ClientAuthentication resourceServer) throws Exception {
        AccessToken token = request(tokenRequest(client)).toSuccessResponse().getTokens().getAccessToken();
        URI introspection = metadata.getIntrospectionEndpointURI();
        TokenIntrospectionRequest question = new TokenIntrospectionRequest(introspection, resourceServer, token);
        expectActive(introspect(question));

        URI revocation = metadata.getRevocationEndpointURI();
        int status = new TokenRevocationRequest(revocation, client, token).toHTTPRequest().send().getStatusCode();
        equal("revocation status", status, 200);
        equal("introspection after revocation", introspect(question).toJSONObject(), Map.of("active", false));
    }

    private static void introspectionByBearer() throws Exception {
        AccessToken credential = new BearerAccessToken(World.RESOURCE_SERVER_KEY);
        AccessToken token = new BearerAccessToken(goodToken());
        expectActive(introspect(
                new TokenIntrospectionRequest(metadata.getIntrospectionEndpointURI(), credential, token)));
    }

    private static TokenIntrospectionSuccessResponse introspect(TokenIntrospectionRequest question) throws Exception {
        return TokenIntrospectionResponse.parse(question.toHTTPRequest().send()).toSuccessResponse();
    }

    private static void expectActive(TokenIntrospectionSuccessResponse answer) {
        equal("active", answer.isActive(), true);
        equal("introspected sub", answer.getSubject().getValue(), World.CLIENT_ID);
        equal("introspected client_id", answer.getClientID().getValue(), World.CLIENT_ID);
        equal("introspected scope", answer.getScope().toString(), World.SCOPE);
    }

    // Verification

    private static JWTClaimsSet verify(String token) throws Exception {
        return verify(token, World.ISSUER, World.AUDIENCE, "at+jwt");
    }

    private static JWTClaimsSet verify(String token, String issuer, String audience, String type) throws Exception {
        JWTClaimsSet exact = new JWTClaimsSet.Builder().issuer(issuer).build();
        DefaultJOSEObjectTypeVerifier<SecurityContext> types =
                new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType(type));
        DefaultJWTClaimsVerifier<SecurityContext> claims =
                new DefaultJWTClaimsVerifier<>(audience, exact, REQUIRED_CLAIMS);
        if (World.ALGORITHM.equals("EdDSA")) {
            return verifyEd25519(SignedJWT.parse(token), types, claims);
        }
        DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
        processor.setJWSTypeVerifier(types);
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.parse(World.ALGORITHM), keys));
        processor.setJWTClaimsSetVerifier(claims);
        return processor.process(token, null);
    }

    /** The same by hand: Nimbus' processor selects no Ed25519 keys. */
    private static JWTClaimsSet verifyEd25519(
            SignedJWT token,
            DefaultJOSEObjectTypeVerifier<SecurityContext> types,
            DefaultJWTClaimsVerifier<SecurityContext> claims)
            throws BadJOSEException, JOSEException, ParseException {
        types.verify(token.getHeader().getType(), null);
        JWKSelector selector = new JWKSelector(JWKMatcher.forJWSHeader(token.getHeader()));
        Ed25519Verifier verifier =
                new Ed25519Verifier(keys.get(selector, null).get(0).toOctetKeyPair().toPublicJWK());
        if (!token.verify(verifier)) {
            throw new BadJWSException("Signed JWT rejected: Invalid signature");
        }
        claims.verify(token.getJWTClaimsSet(), null);
        return token.getJWTClaimsSet();
    }

    private static void refusesAudience() throws Exception {
        String token = goodToken();
        refused(BadJWTException.class, () -> verify(token, World.ISSUER, "https://other.example/api", "at+jwt"));
    }

    private static void refusesIssuer() throws Exception {
        String token = goodToken();
        refused(BadJWTException.class, () -> verify(token, "https://other.example", World.AUDIENCE, "at+jwt"));
    }

    private static void refusesType() throws Exception {
        String token = goodToken();
        refused(BadJOSEException.class, () -> verify(token, World.ISSUER, World.AUDIENCE, "secevent+jwt"));
    }

    private static void refusesForgedClaims() throws Exception {
        String token = goodToken();
        refused(BadJWSException.class, () -> verify(World.withWidenedScope(token)));
    }

    private static void refusesChangedSignature() throws Exception {
        String token = goodToken();
        refused(BadJWSException.class, () -> verify(World.withChangedSignature(token)));
    }
}
