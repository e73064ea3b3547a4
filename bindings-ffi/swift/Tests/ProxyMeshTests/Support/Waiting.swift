import Foundation
import Testing

/// Longer than anything here takes.
let patience = Duration.seconds(20)

/// Waits until it is so.
func until(_ what: String, _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + patience
    while !holds() {
        try #require(ContinuousClock.now < end, "in vain: \(what)")
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// Waits until it is so, where tasks that are cancelled shall have no say in that, and tells how long it took.
func time(until holds: () -> Bool, since start: ContinuousClock.Instant) -> Duration {
    while !holds(), ContinuousClock.now - start < patience {
        usleep(100)
    }
    return ContinuousClock.now - start
}

extension Duration {
    var inMilliseconds: Double { self / .milliseconds(1) }
}
