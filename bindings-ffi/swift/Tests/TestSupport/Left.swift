import Foundation

/// What this process has open, according to Linux. On other systems, there is nothing to compare.
package struct Left: CustomStringConvertible {
    package let threads: Int
    package let descriptors: Int
    package let megabytes: Int

    package init() {
        func count(_ folder: String) -> Int { (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0 }
        threads = count("/proc/self/task")
        descriptors = count("/proc/self/fd")
        let memory = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? "0 0"
        megabytes = Int(memory.split(separator: " ")[1])! * 4096 / 1_000_000
    }

    /// This does not compare memory, because freed memory is not returned to the system at once.
    package func isNoMore(than other: Left, but: Int = 2) -> Bool {
        threads <= other.threads + but && descriptors <= other.descriptors + but
    }

    package var description: String { "\(threads) threads, \(descriptors) descriptors, \(megabytes) MB" }
}
