import Foundation
import ProxyMesh
import TestSupport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A program that has run out of a resource when its client makes its first call:
///
///     Limited BASE_URL async|blocking descriptors|threads|memory LIMIT
///
/// A memory limit is in bytes, in addition to what the process already uses. The program prints the error, or `fine`. Then it makes
/// the call again without the limit. It can also count what unused clients hold:
///
///     Limited BASE_URL unused
@main
struct Limited {
    static func main() async throws {
        Thread.detachNewThread {
            var left: UInt32 = 20
            while left > 0 { left = sleep(left) }  // `setuid` ends a sleep early.
            print("it hangs")
            fflush(nil)
            _exit(1)
        }
        let arguments = CommandLine.arguments.dropFirst()
        guard let baseURL = arguments.first.flatMap(URL.init(string:)) else { throw Unknown("\(arguments)") }
        switch Array(arguments.dropFirst()) {
        case ["unused"]:
            try countUnused(baseURL)
        case let given where given.count == 3:
            guard let way = Way.allCases.first(where: { "\($0)" == given[0] }), let limit = UInt64(given[2]) else { fallthrough }
            try await call(baseURL, way, resource: given[1], limit)
        default:
            throw Unknown("\(arguments)")
        }
    }

    private static func countUnused(_ baseURL: URL) throws {
        let before = Left()
        let accounts = try (0..<1000).flatMap { _ in try Way.allCases.map { try $0.open(baseURL) } }
        let after = Left()
        let held = (after.descriptors - before.descriptors, after.threads - before.threads)
        print("\(accounts.count) clients: \(held.0) descriptors, \(held.1) threads")
    }

    private static func call(_ baseURL: URL, _ way: Way, resource name: String, _ limit: UInt64) async throws {
        if name == "threads", getuid() == 0 {
            setuid(65534)  // The limit does not apply to root.
        }
        let account = try way.open(baseURL, Options(maxRetries: 0))
        let row = JSON.object(["call": .text("geo.open")])
        // This starts Swift's own threads. Under the limit, Swift would wait forever for a thread that it cannot start.
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask { usleep(2000) }
            }
        }
        let result: String
        do {
            let resource = try Resource(name)
            try resource.limit(to: limit)
            defer { resource.reset() }
            _ = try await account.call(Arguments(row))
            result = "fine"
        } catch let error as ProxyMeshError {
            result = "\(error.kind.rawValue): \(error)"
        }
        print(result)
        _ = try await account.call(Arguments(row))
    }
}

/// A resource of the process that can be limited.
private struct Resource {
    #if canImport(Glibc)
        private static let descriptors = Int32(RLIMIT_NOFILE.rawValue)
        private static let threads = Int32(__RLIMIT_NPROC.rawValue)
        private static let memory = Int32(RLIMIT_AS.rawValue)
    #else
        private static let (descriptors, threads, memory) = (RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_AS)
    #endif

    private let number: Int32
    private let before: rlimit
    private let used: UInt64

    init(_ name: String) throws {
        switch name {
        case "descriptors": (number, used) = (Self.descriptors, 0)
        case "threads": (number, used) = (Self.threads, 0)
        case "memory":
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[0]
            (number, used) = (Self.memory, UInt64(pages)! * UInt64(getpagesize()))
        default: throw Unknown("a resource \(name)")
        }
        var before = rlimit()
        getrlimit(number, &before)
        self.before = before
    }

    func limit(to most: UInt64) throws {
        var limit = before
        limit.rlim_cur = rlim_t(used + most)
        guard setrlimit(number, &limit) == 0 else { throw Unknown("how to set this limit: errno \(errno)") }
    }

    func reset() {
        var before = before
        setrlimit(number, &before)
    }
}
