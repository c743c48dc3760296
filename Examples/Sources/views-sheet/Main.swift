import Foundation
import Imaging
import Painting
import Torch

/// Makes the pictures of Docs/steering.md: what the parts of the machine do, each part on a sheet.
///
///     swift run --package-path Examples -c release views-sheet Docs/first-light.png Docs/steering
///
/// Names of sheets after the folder make only those.
@main
struct ViewsSheetProgram {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 2 else {
      FileHandle.standardError.write(Data("usage: views-sheet PICTURE FOLDER [SHEET…]\n".utf8))
      exit(64)
    }
    let (picture, folder, wanted) = (arguments[0], arguments[1], arguments.dropFirst(2))
    let views = Views(try Picture.read(from: picture))
    let studio = try Studio(beginningFrom: URL(filePath: picture))
    let sheets: [(String, () async throws -> ContactSheet)] = [
      ("cut-modes", views.modes), ("augmentations", views.augmentations),
      ("start-pictures", views.startPictures), ("pixel-shapes", studio.shapes),
      ("palettes", studio.palettes), ("wallpaper-groups", studio.wallpapers),
      ("strokes", studio.strokes), ("objectives", studio.objectives), ("methods", studio.methods),
    ]
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, sheet) in sheets where wanted.isEmpty || wanted.contains(name) {
      let path = "\(folder)/\(name).png"
      try coarse(await sheet().render()).write(to: path, replacing: true)
      print(path)
    }
  }

  /// The picture in steps of sixteen, which is hardly seen and makes the file a third as large.
  static func coarse(_ picture: Picture) throws -> Picture {
    try Picture(
      width: picture.width, height: picture.height, channels: picture.channels,
      bytes: picture.bytes.map { UInt8(min(255, (Int($0) + 8) / 16 * 16)) })
  }
}
