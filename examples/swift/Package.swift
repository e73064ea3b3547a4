// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "quickstart",
    platforms: [.macOS(.v13)],
    dependencies: [.package(url: "https://github.com/proxymesh/proxymesh-sdk", from: "0.1.0")],
    targets: [
        .executableTarget(name: "Quickstart", dependencies: [.product(name: "ProxyMesh", package: "proxymesh-sdk")])
    ]
)
