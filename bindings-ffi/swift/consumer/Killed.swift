import Foundation
import ProxyMeshTesting

/// Starts a sandbox, prints its URL, and is killed.
@main
struct Killed {
    static func main() throws {
        let sandbox = try Sandbox()
        FileHandle.standardOutput.write(Data("\(sandbox.baseURL)\n".utf8))
        kill(getpid(), SIGKILL)
    }
}
