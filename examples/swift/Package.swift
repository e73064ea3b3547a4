// swift-tools-version:6.0
import PackageDescription

let package = Package(
    name: "examples",
    platforms: [.macOS(.v13)],
    dependencies: [.package(url: "https://github.com/proxymesh/proxymesh-sdk", from: "0.1.0")],
    targets: [
        .executableTarget(name: "Quickstart", dependencies: [.product(name: "ProxyMesh", package: "proxymesh-sdk")]),
        .target(name: "Scraper", dependencies: ["CCurl", .product(name: "ProxyMesh", package: "proxymesh-sdk")]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .testTarget(
            name: "ScraperTests", dependencies: ["Scraper", .product(name: "ProxyMeshTesting", package: "proxymesh-sdk")]),
    ]
)
