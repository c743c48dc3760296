import Foundation
import Imaging
import Painting

/// Paints with a drawer and an objective of its own: each is one file, and one line makes it known to
/// everything that speaks of methods and objectives.
///
///     swift run --package-path Examples -c release toy-parts "a sunset over the sea" stripes.png
@main
struct ToyPartsProgram {
  static func main() async throws {
    Parts.add(.stripes)
    Parts.add(.blue)

    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 2, let prompt = arguments.first, let path = arguments.last else {
      FileHandle.standardError.write(Data("usage: toy-parts PROMPT PICTURE.png\n".utf8))
      exit(64)
    }
    var request = Request(prompt)
    request.method = Method(rawValue: "stripes")
    request.arguments = ["stripes": .integer(16)]
    request.objectives = [PartSpec("blue", weight: 0.5)]
    (request.width, request.height, request.seed) = (128, 128, 1)

    let engine = Engine(pack: try Pack(folder: Pack.embedded))
    for try await event in engine.generate(request) {
      guard case .image(let output) = event else { continue }
      // The file carries the request, so that it can be painted again.
      try output.picture.write(to: path, as: .png(texts: try output.metadata.texts()))
    }
    print(path)
  }
}
