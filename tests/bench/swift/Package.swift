// swift-tools-version:6.0
import PackageDescription

// Contestants of ../languages.py.
let package = Package(
    name: "bench",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "proxymesh-sdk", path: "../../..")],
    targets: [.executableTarget(name: "Bench", dependencies: [.product(name: "ProxyMesh", package: "proxymesh-sdk")])]
)
