import Commands
import Foundation
import Imaging
import Painting

extension Session {
  /// Paints all pictures of a grid, and a contact sheet of them.
  /// - Parameters:
  ///   - cells: in the order of `Grid.combinations`.
  ///   - pack: the pack's folder as it was named.
  ///   - continues: whether pictures that are there already are left out.
  func run(_ grid: Grid, _ cells: [Grid.Cell], pack: String?, continues: Bool) async throws {
    let columns = grid.axes[0].values.count
    let side = max(48, min(192, 8_000 / columns))
    let there = continues ? try destination.painted(by: engine.pack) : [:]
    var pictures: [ContactSheet.Cell] = []
    var batch = Batch(of: cells.count)
    for (index, cell) in cells.enumerated() {
      let labels = zip(grid.axes, cell.values).map { $0.label($1) }
      var session = self
      session.heading = heading + "[\(index + 1)/\(cells.count)] "
      let picture = try await batch.attempt(session.heading + labels.joined(separator: ", ")) {
        var file = there[try cell.request.key]
        if file == nil {
          if !output.quiet { Console.say(session.heading + labels.joined(separator: ", ")) }
          file = try await session.run(cell.request, count: 1, files: cell.files, pack: pack).last
        }
        return try file.map { try Picture.read(from: $0.path).shrunk(to: side) }
      }
      let caption = grid.axes.count == 1 ? labels[0] : ""
      // One that failed leaves its place on the sheet clear.
      pictures.append(
        ContactSheet.Cell(
          try (picture ?? nil) ?? Picture(width: side, height: side, color: .white),
          caption: caption))
    }
    let sheet = try Self.sheet(grid, pictures, side: side)
    let url = try destination.write(
      sheet, request: cells[0].request, suffix: "-grid", ending: "png")
    try report(grid, url)
    try batch.end()
  }

  /// The first axis runs along the columns, the second along the rows, and of the third there is a
  /// block of rows for each value. A single axis is folded.
  private static func sheet(
    _ grid: Grid, _ pictures: [ContactSheet.Cell], side: Int
  ) throws -> Picture {
    guard grid.axes.count > 1 else {
      return try ContactSheet(pictures, cellSize: side).render()
    }
    let labels = grid.axes.map { axis in axis.values.map(axis.label) }
    let blocks = labels.count > 2 ? labels[2] : []
    let rows =
      blocks.isEmpty ? labels[1] : blocks.flatMap { block in labels[1].map { "\(block) \($0)" } }
    return try ContactSheet(
      pictures, columns: labels[0].count, columnLabels: labels[0], rowLabels: rows, cellSize: side
    ).render()
  }

  private struct Sheet: Encodable {
    struct Axis: Encodable {
      let name: String
      let values: [String]
    }
    let axes: [Axis]
    let sheet: String
  }

  private func report(_ grid: Grid, _ url: URL) throws {
    let path = Console.relative(url)
    guard output.json else { return Console.result(path) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let axes = grid.axes.map { Sheet.Axis(name: $0.name, values: $0.values) }
    Console.result(
      String(decoding: try encoder.encode(Sheet(axes: axes, sheet: path)), as: UTF8.self))
  }
}

extension Picture {
  /// The picture with its longer side at most `side`.
  fileprivate func shrunk(to side: Int) throws -> Picture {
    let longest = max(width, height)
    guard longest > side else { return self }
    return try resized(
      width: max(1, width * side / longest), height: max(1, height * side / longest))
  }
}

extension Destination {
  /// Pictures of this pack in the folder of pictures, by the request that each came of.
  func painted(by pack: Pack) throws -> [Data: URL] {
    let found = FileManager.default.enumerator(
      at: root, includingPropertiesForKeys: nil)
    let edition = Metadata.PackReference(id: pack.manifest.id, version: pack.manifest.version)
    var painted: [Data: URL] = [:]
    while let url = found?.nextObject() as? URL {
      // Runs that were left hold pictures on the way.
      if url.pathExtension == "run" { found?.skipDescendants() }
      guard (try? PictureFormat(extensionOf: url.path)) != nil,
        let metadata = try? Metadata(ofPictureAt: url.path), metadata.pack == edition
      else { continue }
      painted[try metadata.request.key] = url
    }
    return painted
  }
}

extension Request {
  /// The same for requests that paint the same, also when one of them was in a file.
  var key: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      return try encoder.encode(self)
    }
  }
}
