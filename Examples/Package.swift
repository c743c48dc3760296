// swift-tools-version: 6.2
import Foundation
import PackageDescription

// A program of your own names a release instead: .package(url: "…/Reverie", from: "0.1.0").
// REVERIE_URL does that here, for the test that a release can be depended on.
let reverie: Package.Dependency =
  if let url = Context.environment["REVERIE_URL"] {
    .package(url: url, from: "0.1.0")
  } else {
    .package(name: "Reverie", path: "..")
  }

let package = Package(
  name: "Examples",
  dependencies: [reverie],
  targets: ["contact-sheet", "own-parts", "views-sheet"].map {
    .executableTarget(name: $0, dependencies: [.product(name: "Reverie", package: "Reverie")])
  },
  swiftLanguageModes: [.v6]
)
