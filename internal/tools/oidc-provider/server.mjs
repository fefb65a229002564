// An authorization server for TestOIDCProvider, which starts it with its issuer and its clients:
//   node server.mjs ISSUER CLIENTS
// It prints the port that it listens on. The test stands in front of it, at the issuer.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [issuer, clients] = process.argv.slice(2);
const scopes = "qod:sessions:read qod:sessions:write";

const provider = new Provider(issuer, {
  clients: JSON.parse(clients).map((client) => ({
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    scope: scopes,
    ...client,
  })),
  scopes: scopes.split(" "),
  features: {
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
