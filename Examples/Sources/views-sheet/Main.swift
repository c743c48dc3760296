import Foundation
import Imaging
import Painting
import Torch

/// Makes the pictures of Docs/steering.md: what the parts of the machine do, each part on a sheet.
///
///     swift run --package-path Examples -c release views-sheet Docs/first-light.png Docs/steering
@main
struct ViewsSheetProgram {
  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 2, let picture = arguments.first, let folder = arguments.last else {
      FileHandle.standardError.write(Data("usage: views-sheet PICTURE FOLDER\n".utf8))
      exit(64)
    }
    let views = Views(try Picture.read(from: picture))
    let studio = try Studio(beginningFrom: URL(filePath: picture))
    let sheets = [
      ("cut-modes", try views.modes()), ("augmentations", try views.augmentations()),
      ("start-pictures", try views.startPictures()), ("methods", try await studio.methods()),
      ("pixel-shapes", try await studio.shapes()), ("strokes", try await studio.strokes()),
      ("objectives", try await studio.objectives()), ("palettes", try await studio.palettes()),
      ("wallpaper-groups", try await studio.wallpapers()),
    ]
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, sheet) in sheets {
      let path = "\(folder)/\(name).png"
      try sheet.render().write(to: path, replacing: true)
      print(path)
    }
  }
}
