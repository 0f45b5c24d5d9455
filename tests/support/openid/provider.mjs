// A certified OpenID provider for one client, on loopback: who types a name into its form is signed
// in as that.
//
//   CLIENT_SECRET=... node provider.mjs MODULES PORT REDIRECT_URI...

import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, ...redirectUris] = process.argv.slice(2);
const main = join(modules, "node_modules/oidc-provider/lib/index.js");
const { default: Provider } = await import(pathToFileURL(main));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "desk",
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: redirectUris,
    },
  ],
  claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
  conformIdTokenClaims: false, // profile and email stand in the ID token, too
  cookies: { keys: ["of these tests"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Dr. ${id}`, email: `${id}@desk.example` }),
  }),
  pkce: { required: () => true },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
});
provider.listen(Number(port), "127.0.0.1");
