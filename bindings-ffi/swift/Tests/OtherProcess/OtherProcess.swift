import Foundation
import ProxyMesh
import TestSupport

/// What another process of the same user does:
///
///     OtherProcess BASE_URL hold IP                        holds a lease until its input ends
///     OtherProcess BASE_URL list async|blocking PASSWORD   makes a call
///
/// It prints `holding` once it holds the lease, and in the end `fine` or the kind of the error.
@main
struct OtherProcess {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let baseURL = arguments.first.flatMap(URL.init(string:)) else { throw Unknown("\(arguments)") }
        do {
            switch Array(arguments.dropFirst()) {
            case let given where given.first == "hold" && given.count == 2:
                try await hold(given[1], baseURL)
            case let given where given.first == "list" && given.count == 3:
                guard let way = Way.allCases.first(where: { "\($0)" == given[1] }) else { fallthrough }
                let account = try way.open(baseURL, Options(password: given[2], maxRetries: 0))
                _ = try await account.call(Arguments(.object(["call": .text("ips.list")])))
            default:
                throw Unknown("\(arguments)")
            }
            print("fine")
        } catch let error as ProxyMeshError {
            print(error.kind.rawValue)
        }
    }

    private static func hold(_ ip: String, _ baseURL: URL) async throws {
        let client = try Client(username: username, password: password, baseURL: baseURL)
        try await client.ips.withAuthorizedIP(ip, label: "crawl") { _ in
            FileHandle.standardOutput.write(Data("holding\n".utf8))
            await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    _ = FileHandle.standardInput.readDataToEndOfFile()
                    continuation.resume()
                }
            }
        }
    }
}
