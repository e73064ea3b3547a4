import ProxyMesh
import TestSupport
import Testing

/// Lets many callers of one client start together, in tasks, or in threads if the calls block. Returns the error of each. It is
/// `nil` if the call succeeds or throws an error that is not ours.
///
/// - Parameter again: Whether each caller repeats the call until it fails.
func failures(of account: any Account, callers: Int = 256, again: Bool = false) async throws -> [ProxyMeshError?] {
    let row = JSON.object(["call": .text("ips.list")])
    guard let account = account as? Blocked else {
        return await withTaskGroup(of: ProxyMeshError?.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    await failure { repeat { _ = try await account.call(Arguments(row)) } while again }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }
    let failures = Locked<[ProxyMeshError?]>([])
    for _ in 0..<callers {
        thread {
            let failure = failureNow { repeat { _ = try account.call(Arguments(row)) } while again }
            failures.with { $0.append(failure) }
        }
    }
    try await until("all have ended") { failures.with { $0.count } == callers }
    return failures.with { $0 }
}

/// Runs `body` in so many threads that start together, and waits for them without blocking this one. Records their errors.
func inThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) async throws {
    let ended = Locked(0)
    for index in 0..<count {
        thread {
            do { try body(index) } catch { Issue.record(error) }
            ended.with { $0 += 1 }
        }
    }
    try await until("all threads have ended") { ended.with { $0 } == count }
}

/// Makes blocking calls in async code, where they are unavailable.
func blockingly<Given>(_ body: () throws -> Given) rethrows -> Given {
    try body()
}
