// An authorization server for TestOIDCProvider, which starts it with its issuer and its clients:
//   node server.mjs ISSUER CLIENTS
// It prints the port that it listens on. The test stands in front of it, at the issuer.
import { createServer } from "node:http";
import Provider, { errors } from "oidc-provider";

const [issuer, clients] = process.argv.slice(2);
const scopes = "openid dpv:RequestedServiceProvision qod:sessions:read qod:sessions:write";

// How the users of these phone numbers answer CIBA. Nobody else is known.
const answers = {
  "tel:+34600000001": { after: 0, agrees: true },
  "tel:+34600000002": { after: 3000, agrees: true },
  "tel:+34600000003": { after: 0, agrees: false },
  "tel:+34600000004": {}, // never
};

const provider = new Provider(issuer, {
  clients: JSON.parse(clients).map((client) => ({
    grant_types: ["client_credentials", "urn:openid:params:grant-type:ciba"],
    backchannel_token_delivery_mode: "poll",
    redirect_uris: [],
    response_types: [],
    scope: scopes,
    ...client,
  })),
  scopes: scopes.split(" "),
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  ttl: { BackchannelAuthenticationRequest: 8 },
  features: {
    ciba: {
      enabled: true,
      deliveryModes: ["poll"],
      processLoginHint: (_ctx, hint) => (hint in answers ? hint : undefined),
      triggerAuthenticationDevice: async (_ctx, request, account, client) => {
        const { after, agrees } = answers[account.accountId];
        const answer = async () => {
          if (!agrees) {
            await provider.backchannelResult(request, new errors.AccessDenied("the user does not agree"));
            return;
          }
          const grant = new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
          grant.addOIDCScope(request.scope);
          await grant.save();
          await provider.backchannelResult(request, grant);
        };
        if (after === 0) await answer();
        if (after > 0) setTimeout(answer, after);
      },
      validateBindingMessage: () => {},
      validateRequestContext: () => {},
      verifyUserCode: () => {},
    },
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({ scope: scopes, audience: resource, accessTokenFormat: "jwt" }),
    },
  },
});
provider.proxy = true;
provider.on("server_error", (_ctx, err) => console.error(err));

const server = createServer(provider.callback());
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume(); // ends with the test
