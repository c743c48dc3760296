// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Benchmarks",
  dependencies: [.package(name: "Reverie", path: "..")],
  targets: [
    .executableTarget(
      name: "reverie-bench", dependencies: [.product(name: "Reverie", package: "Reverie")])
  ],
  swiftLanguageModes: [.v6]
)
