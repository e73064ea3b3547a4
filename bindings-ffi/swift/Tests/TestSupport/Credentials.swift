import Foundation

// Canaries: `make test-secrets` looks for them in all output.

package let username = "me+1@ex.com"
package let password = "canary-password-7f3a91"
package let subPassword = "canary-sub-password-7f3a91"
package let token = "pm_canary7f3a91token"

/// The same values, for code where other things have these names.
package let credentials = (username: username, password: password)

/// The header for these credentials that RFC 7617 prescribes.
package let basic = "Basic " + Data("\(username):\(password)".utf8).base64EncodedString()
