import Foundation

/// What this process has open. Linux tells; elsewhere there is nothing to compare.
struct Left: CustomStringConvertible {
    let threads: Int
    let descriptors: Int
    let megabytes: Int

    init() {
        func count(_ folder: String) -> Int { (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0 }
        threads = count("/proc/self/task")
        descriptors = count("/proc/self/fd")
        let memory = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0 0"
        megabytes = Int(memory.split(separator: " ")[1])! * 4096 / 1_000_000
    }

    /// Memory is no part of it: what is freed does not go back to the system at once.
    func isNoMore(than other: Left, but: Int = 2) -> Bool {
        threads <= other.threads + but && descriptors <= other.descriptors + but
    }

    var description: String { "\(threads) threads, \(descriptors) descriptors, \(megabytes) MB" }
}

/// What may be gone.
struct Weak<Object: AnyObject & Sendable>: Sendable {
    private(set) weak var object: Object?
}
