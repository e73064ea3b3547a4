import ProxyMeshTesting
import TestSupport

/// A sandbox whose account has the credentials of the tests.
func newSandbox(password: String = credentials.password, hasProxies: Bool = false) throws -> Sandbox {
    try Sandbox(username: username, password: password, hasProxies: hasProxies)
}
