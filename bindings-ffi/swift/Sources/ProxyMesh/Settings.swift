import Foundation
internal import ProxyMeshInternal

extension Settings {
    /// The settings of both clients. The core checks them.
    init(
        username: String?, password: String?, token: String?, baseURL: URL?, timeout: Duration?, connectTimeout: Duration?,
        maxRetries: Int?, maxConnections: Int?, caFile: URL?, trustEnv: Bool, shareState: Bool
    ) {
        self.init(
            username: username,
            password: password,
            token: token,
            baseUrl: baseURL?.absoluteString,
            timeout: timeout?.inSeconds,
            connectTimeout: connectTimeout?.inSeconds,
            maxRetries: maxRetries.map(Int64.init),
            maxConnections: maxConnections.map(Int64.init),
            caFile: caFile.map { $0.isFileURL ? $0.path : $0.absoluteString },
            trustEnv: trustEnv,
            shareState: shareState,
            userAgent: "proxymesh-swift/\(version)")
    }
}

extension Options {
    init(timeout: Duration?, maxRetries: Int?) {
        self.init(timeout: timeout?.inSeconds, maxRetries: maxRetries.map(Int64.init))
    }
}

extension Duration {
    /// Converts the core's seconds. `Duration.seconds` and `components` trap on values beyond 64 bits, and a service could ask
    /// for such a wait.
    init(inSeconds seconds: Double) {
        self = .seconds(min(seconds, 9e18))
    }

    var inSeconds: Double { self / .seconds(1) }
}
