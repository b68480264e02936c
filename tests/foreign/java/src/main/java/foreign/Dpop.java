package foreign;

import static foreign.Check.check;
import static foreign.Check.equal;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.dpop.DPoPProofFactory;
import com.nimbusds.oauth2.sdk.dpop.DefaultDPoPProofFactory;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.http.HTTPResponse;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import com.nimbusds.oauth2.sdk.token.DPoPAccessToken;
import java.net.URI;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.OAuth2AccessToken;

/**
 * Tokens that are bound to a key (DPoP, RFC 9449): Nimbus' OAuth SDK and Spring Security get them, and a resource server
 * by Spring Security takes them. One line for each check; exit code 1 when one failed.
 */
public final class Dpop {
    private static final boolean NONCES = World.env("CLAVIGER_DPOP_NONCES").equals("true");

    private static URI tokenEndpoint;
    private static URI order;

    private Dpop() {}

    public static void main(String[] arguments) throws Exception {
        tokenEndpoint = AuthorizationServerMetadata.resolve(new Issuer(World.ISSUER)).getTokenEndpointURI();
        order = URI.create(SpringApi.start() + "/orders/7");

        Map<JWSAlgorithm, JWK> holders = Map.of(
                JWSAlgorithm.ES256, new ECKeyGenerator(Curve.P_256).generate(),
                JWSAlgorithm.ES384, new ECKeyGenerator(Curve.P_384).generate(),
                JWSAlgorithm.PS256, new RSAKeyGenerator(2048).generate(),
                JWSAlgorithm.RS256, new RSAKeyGenerator(2048).generate());
        for (var holder : holders.entrySet()) {
            String algorithm = holder.getKey().getName();
            check("Nimbus SDK, " + algorithm + ": a bound token, which Spring's resource server takes with proofs",
                    () -> bound(holder.getKey(), holder.getValue()));
        }
        check("Spring's resource server: whatever is wrong with a proof, the token is refused", Dpop::refusals);
        if (!NONCES) {
            check("Spring Security's client gets a bound token, as docs/clients.md has it", Dpop::bySpring);
        }
        Check.end();
    }

    private static void bound(JWSAlgorithm algorithm, JWK holder) throws Exception {
        var proofs = new DefaultDPoPProofFactory(holder, algorithm);
        var token = token(proofs);
        var claims = SignedJWT.parse(token.getValue()).getJWTClaimsSet();
        equal("cnf", claims.getJSONObjectClaim("cnf"), Map.of("jkt", holder.computeThumbprint().toString()));
        for (int request = 0; request < 2; request++) {
            passes("with a new proof", call(token, proofs.createDPoPJWT("GET", order, token)));
        }
    }

    private static void refusals() throws Exception {
        var proofs = new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
        var thief = new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
        var token = token(proofs);
        var used = proofs.createDPoPJWT("GET", order, token);
        passes("a good proof", call(token, used));
        var plain = new BearerAccessToken(plainToken());
        passes("a plain token", call(plain, null));

        refused("a used proof", call(token, used));
        refused("no proof", call(token, null));
        refused("another's proof", call(token, thief.createDPoPJWT("GET", order, token)));
        refused("another method", call(token, proofs.createDPoPJWT("POST", order, token)));
        refused("another path", call(token, proofs.createDPoPJWT("GET", order.resolve("8"), token)));
        var other = token(proofs);
        refused("another token", call(token, proofs.createDPoPJWT("GET", order, other)));
        refused("as Bearer", call(new BearerAccessToken(token.getValue()), null));
        var posing = new DPoPAccessToken(plain.getValue());
        refused("a plain token with a proof", call(posing, proofs.createDPoPJWT("GET", order, posing)));
    }

    private static void passes(String what, HTTPResponse answer) {
        equal(what + " " + answer.getHeaderValue("WWW-Authenticate"), answer.getStatusCode(), 200);
    }

    private static void refused(String why, HTTPResponse answer) {
        equal(why, answer.getStatusCode(), 401);
    }

    /** Spring Security has no client for DPoP. A converter of headers sends the proof. */
    private static void bySpring() throws Exception {
        DPoPProofFactory proofs =
                new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
        var tokens = new RestClientClientCredentialsTokenResponseClient();
        tokens.addHeadersConverter(request -> {
            var endpoint = URI.create(request.getClientRegistration().getProviderDetails().getTokenUri());
            var headers = new HttpHeaders();
            try {
                headers.set("DPoP", proofs.createDPoPJWT("POST", endpoint).serialize());
            } catch (JOSEException error) {
                throw new IllegalStateException(error);
            }
            return headers;
        });
        var registration = ClientRegistrations.fromIssuerLocation(World.ISSUER)
                .registrationId("claviger")
                .clientId(World.CLIENT_ID)
                .clientSecret(World.API_KEY)
                .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
                .build();
        var answer = tokens.getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration)).getAccessToken();
        equal("type", answer.getTokenType(), OAuth2AccessToken.TokenType.DPOP);
        var token = new DPoPAccessToken(answer.getTokenValue());
        passes("with a proof", call(token, proofs.createDPoPJWT("GET", order, token)));
    }

    /** A token that is bound to the key of these proofs. If the server asks for a nonce, the next proof has it. */
    private static DPoPAccessToken token(DPoPProofFactory proofs) throws Exception {
        var answer = ask(proofs.createDPoPJWT("POST", tokenEndpoint));
        if (NONCES) {
            equal("the error", answer.getBodyAsJSONObject().get("error"), "use_dpop_nonce");
            answer = ask(proofs.createDPoPJWT("POST", tokenEndpoint, answer.getDPoPNonce()));
        }
        return TokenResponse.parse(answer).toSuccessResponse().getTokens().getDPoPAccessToken();
    }

    private static String plainToken() throws Exception {
        return TokenResponse.parse(ask(null)).toSuccessResponse().getTokens().getBearerAccessToken().getValue();
    }

    private static HTTPResponse ask(SignedJWT proof) throws Exception {
        var client = new ClientSecretBasic(new ClientID(World.CLIENT_ID), new Secret(World.API_KEY));
        var request = new TokenRequest.Builder(tokenEndpoint, client, new ClientCredentialsGrant()).build();
        return sent(request.toHTTPRequest(), proof);
    }

    private static HTTPResponse call(AccessToken token, SignedJWT proof) throws Exception {
        var request = new HTTPRequest(HTTPRequest.Method.GET, order);
        request.setAuthorization(token.toAuthorizationHeader());
        return sent(request, proof);
    }

    private static HTTPResponse sent(HTTPRequest request, SignedJWT proof) throws Exception {
        if (proof != null) {
            request.setDPoP(proof);
        }
        return request.send();
    }
}
