import Foundation
import Imaging
import Painting

/// Paints every prompt that it is given and puts the pictures on one sheet: Reverie as a library.
///
///     swift run --package-path Examples -c release contact-sheet "a fox" "a whale" sheet.png
@main
struct ContactSheetProgram {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count >= 2, let path = arguments.last else {
      FileHandle.standardError.write(Data("usage: contact-sheet PROMPT… SHEET.png\n".utf8))
      exit(64)
    }
    let engine = Engine(pack: try Pack(folder: Pack.embedded))
    var cells: [ContactSheet.Cell] = []
    for prompt in arguments.dropLast() {
      var request = Request(prompt)
      request.seed = 1
      cells.append(.init(try await engine.picture(of: request), caption: prompt))
    }
    try ContactSheet(cells, columns: min(4, cells.count), cellSize: 128).render().write(to: path)
    print(path)
  }
}
