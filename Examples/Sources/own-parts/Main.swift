import Foundation
import Imaging
import Library
import Painting

/// Paints with parts of its own: a drawer, an objective, a feed-forward method, and a network with a method
/// for it. Each is a file, and a line makes it known to the engine.
///
///     swift run --package-path Examples -c release own-parts stripes "a sunset over the sea" stripes.png
@main
struct OwnPartsProgram {
  static func main() async throws {
    var registry = Registry.builtIn
    registry.add(.stripes)
    registry.add(.blue)
    registry.add(.clouds)
    registry.add(ColorField.architecture)
    registry.add(.colorField)

    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count == 3 else {
      FileHandle.standardError.write(Data("usage: own-parts METHOD PROMPT PICTURE.png\n".utf8))
      exit(64)
    }
    var request = Request(arguments[1])
    request.method = Method.ID(rawValue: arguments[0])
    if registry.method(request.method)?.takes("objectives") == true {
      request.objectives = [PartSpec("blue", weight: 0.5)]
    }
    (request.width, request.height, request.seed) = (128, 128, 1)

    let engine = Engine(
      pack: try Pack(folder: Pack.embedded, registry: registry),
      library: ModelLibrary(architectures: registry.architectures), registry: registry)
    let output = try await engine.output(of: request)
    // The file carries the request, so that it can be painted again.
    try output.picture.write(to: arguments[2], as: .png(texts: try output.metadata.texts()))
    print(arguments[2])
  }
}
