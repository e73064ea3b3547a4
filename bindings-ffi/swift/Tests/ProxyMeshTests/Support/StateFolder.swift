import Foundation

/// A new folder for what this machine remembers, instead of the user's own, while this object exists.
final class StateFolder: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    private let before = ProcessInfo.processInfo.environment["XDG_STATE_HOME"]

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        setenv("XDG_STATE_HOME", folder.path, 1)
    }

    deinit {
        if let before { setenv("XDG_STATE_HOME", before, 1) } else { unsetenv("XDG_STATE_HOME") }
        try? FileManager.default.removeItem(at: folder)
    }
}
