#if os(macOS) || os(Linux)
    import Foundation

    /// The sandbox's program at work. It ends with its input, and so with this process.
    final class Server: Sendable {
        let url: URL
        let port: UInt16
        private let process: Running

        init(_ flags: [String], environment: [String: String]) throws(SandboxError) {
            process = try Running(program(), flags, environment)
            // The first line says where it listens, or why it does not.
            let line = process.firstLine()
            let prefix = "listening on "
            guard line.hasPrefix(prefix), let url = URL(string: String(line.dropFirst(prefix.count))), let port = url.port else {
                process.stop()
                throw SandboxError("the sandbox did not start: \(line.isEmpty ? "it ended at once" : line)")
            }
            self.url = url
            self.port = UInt16(port)
        }

        func stop() {
            process.stop()
        }
    }

    /// Only `stop` is called by more than one thread, and it holds the lock.
    private final class Running: @unchecked Sendable {
        private let process = Process()
        private let input = Pipe()
        private let output = Pipe()
        private let ended = DispatchSemaphore(value: 0)
        private let lock = NSLock()
        private var isStopped = false

        init(_ program: URL, _ flags: [String], _ environment: [String: String]) throws(SandboxError) {
            process.executableURL = program
            process.arguments = flags
            process.environment = environment
            process.standardInput = input
            process.standardOutput = output
            process.standardError = output
            let ended = ended
            process.terminationHandler = { _ in ended.signal() }
            // Another program that inherited the writing end would keep the sandbox alive.
            _ = fcntl(input.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
            do { try process.run() } catch { throw SandboxError("could not start \(program.path): \(error)") }
        }

        func firstLine() -> String {
            var bytes = Data()
            while !bytes.contains(UInt8(ascii: "\n")) {
                let more = output.fileHandleForReading.availableData
                if more.isEmpty { break }
                bytes += more
            }
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }

        func stop() {
            lock.withLock {
                guard !isStopped else { return }
                isStopped = true
                try? input.fileHandleForWriting.close()
                if ended.wait(timeout: .now() + 10) == .timedOut {
                    kill(process.processIdentifier, SIGKILL)
                    ended.wait()
                }
            }
        }
    }

    /// Finds the sandbox's program.
    func program(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        home: URL = FileManager.default.homeDirectoryForCurrentUser
    ) throws(SandboxError) -> URL {
        let name = "proxymesh-sandbox"
        let variable = "PROXYMESH_SANDBOX_PROGRAM"
        let files = FileManager.default
        if let given = environment[variable], !given.isEmpty {
            guard files.isExecutableFile(atPath: given) else {
                throw SandboxError("\(variable) is \(given), which is not a program")
            }
            return URL(fileURLWithPath: given)
        }
        let listed = ["LIBRARY_PATH", "PATH"].flatMap { (environment[$0] ?? "").split(separator: ":").map(String.init) }
        let folders = listed.map(URL.init(fileURLWithPath:)) + [home.appendingPathComponent(".cargo/bin")]
        let candidates = folders.map { $0.appendingPathComponent(name) }
        guard let found = candidates.first(where: { files.isExecutableFile(atPath: $0.path) }) else {
            throw SandboxError(
                """
                the program \(name), which emulates the service, was not found in LIBRARY_PATH, PATH or ~/.cargo/bin. Install it with \
                `cargo install \(name)`, or set \(variable) to its path
                """)
        }
        return found
    }
#endif
