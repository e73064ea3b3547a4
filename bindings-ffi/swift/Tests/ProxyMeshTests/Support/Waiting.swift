import Foundation
import Testing

/// More time than anything here takes.
let patience = Duration.seconds(20)

/// Waits until `holds` returns true.
func until(_ what: String, _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + patience
    while !holds() {
        try #require(ContinuousClock.now < end, "timed out before this was true: \(what)")
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// Waits until `holds` returns true, and returns how long that took. It blocks the thread, so that no other task delays it.
func time(until holds: () -> Bool, since start: ContinuousClock.Instant) -> Duration {
    while !holds(), ContinuousClock.now - start < patience {
        usleep(100)
    }
    return ContinuousClock.now - start
}

extension Duration {
    var inMilliseconds: Double { self / .milliseconds(1) }
}
