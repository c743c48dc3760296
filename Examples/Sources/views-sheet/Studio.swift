import Foundation
import Imaging
import Painting
import Torch

/// Sheets whose pictures are painted.
struct Studio {
  private let engine: Engine
  private let files: Attachments
  private let start: FileReference

  init(beginningFrom url: URL) throws {
    // One thread, so that the pictures do not depend on how many there are.
    engine = Engine(pack: try Pack(folder: Pack.embedded), threads: 1)
    var files = Attachments()
    start = try files.add(url)
    self.files = files
  }

  /// One text by every method that needs nothing but the pack.
  func methods() async throws -> ContactSheet {
    let names = [
      "dalle", "diffusion", "big-sleep", "vqgan-clip", "fft", "pixels", "deep-daze", "pixel",
      "clipdraw", "line",
    ]
    var cells: [ContactSheet.Cell] = []
    for name in names {
      let picture = try await painted("a whale", name, size: 128)
      cells.append(.init(picture, caption: name))
    }
    return ContactSheet(cells, columns: 5, cellSize: 128)
  }

  /// The picture in cells of every shape.
  func shapes() async throws -> ContactSheet {
    try await sheet(["rect", "rect-shift", "hex", "triangle", "diamond", "knit"], size: 96) {
      $0.arguments = ["shape": .string($1), "columns": .integer(14)]
      begin(&$0)
    }
  }

  /// Strokes and lines on their way.
  func strokes() async throws -> ContactSheet {
    let moments = [1, 10, 30, 60, 120]
    var cells: [ContactSheet.Cell] = []
    for (method, count) in [("clipdraw", 64), ("line", 16)] {
      var request = request("a fish", method, size: 96)
      request.iterations = 121
      request.arguments = method == "line" ? Self.blackLines : [:]
      request.arguments["strokes"] = .integer(count)
      for try await event in engine.generate(request, .init(previewEvery: 1)) {
        guard case .preview(let preview) = event, moments.contains(preview.step) else { continue }
        cells.append(.init(preview.picture))
      }
    }
    return ContactSheet(
      cells, columns: moments.count, columnLabels: moments.map(String.init),
      rowLabels: ["clipdraw", "line"], cellSize: 96)
  }

  /// One text and seed with one more wish each.
  func objectives() async throws -> ContactSheet {
    let wishes = [
      "", "palette:3", "saturation:10", "symmetry:20", "smoothness:5", "edge:50",
      "gaussian:10", "tv:10",
    ]
    return try await sheet(wishes, method: "pixel", size: 96) {
      ($0.arguments, $0.iterations, $0.cutouts) = (["columns": .integer(24)], 60, 12)
      $0.objectives =
        try $1.isEmpty ? nil : [PartSpec(parsing: $1, .objective, in: .builtIn, attach: attach)]
    }
  }

  /// The picture in the nearest colours of palettes.
  func palettes() async throws -> ContactSheet {
    let palettes = ["", "[white,navy,gold]", "black->white\\6", "navy->gold->white\\8"]
    return try await sheet(palettes, size: 96) {
      $0.filters = [PartSpec("lookup", $1.isEmpty ? [:] : ["colors": .string($1)])]
      begin(&$0)
    }
  }

  /// The picture as one period of each of the seventeen patterns of the plane, four periods of which
  /// are shown.
  func wallpapers() async throws -> ContactSheet {
    let groups = [
      "p1", "p2", "pm", "pg", "cm", "pmm", "pmg", "pgg", "cmm", "p4", "p4m", "p4g", "p3", "p3m1",
      "p31m", "p6", "p6m",
    ]
    var cells: [ContactSheet.Cell] = []
    for group in groups {
      let isHexagonal = ["3", "6"].contains(group.dropFirst().first)
      let period = try await painted("a sailboat", "pixels", size: 48) {
        // A hexagonal pattern repeats in a rectangle of one to the root of three.
        if isHexagonal { ($0.width, $0.height) = (42, 73) }
        $0.filters = [PartSpec("wallpaper", ["group": .string(group)])]
        begin(&$0)
      }
      let row = concatenated([period.tensor(), period.tensor()], over: 3)
      let tiles = concatenated([row, row], over: 2)
      let side = min(tiles.size(2), tiles.size(3), 96)
      let shown = tiles.narrowed(2, 0, side).narrowed(3, 0, side)
      cells.append(.init(try Picture(shown[0]), caption: group))
    }
    return ContactSheet(cells, columns: 6, cellSize: 96, gap: 4)
  }

  /// Lines as the preset `line-drawing` has them.
  private static let blackLines: [String: JSONValue] = [
    "inkChanges": .bool(false), "paperChanges": .bool(false), "minWidth": .number(0.5),
    "maxWidth": .number(2), "spread": .number(0.5),
  ]

  // MARK: Painting

  /// A cell for each name, painted by what `change` makes of the request.
  private func sheet(
    _ names: [String], method: String = "pixel", size: Int,
    _ change: (inout Request, String) throws -> Void
  ) async throws -> ContactSheet {
    var cells: [ContactSheet.Cell] = []
    for name in names {
      let picture = try await painted("a fish", method, size: size) { try change(&$0, name) }
      cells.append(.init(picture, caption: name.isEmpty ? "without" : name))
    }
    return ContactSheet(cells, columns: min(4, cells.count), cellSize: size)
  }

  private func painted(
    _ prompt: String, _ method: String, size: Int,
    _ change: (inout Request) throws -> Void = { _ in }
  ) async throws -> Picture {
    var request = request(prompt, method, size: size)
    try change(&request)
    return try await engine.picture(of: request, .init(files: files))
  }

  private func request(_ prompt: String, _ method: String, size: Int) -> Request {
    var request = Request(prompt)
    request.method = Method.ID(rawValue: method)
    (request.width, request.height, request.seed) = (size, size, 7)
    return request
  }

  /// Begins from the picture and leaves it as it is: the first of all iterations shows the beginning.
  private func begin(_ request: inout Request) {
    request.initImage = start
    request.iterations = 1
  }

  private func attach(_ path: String) throws -> FileReference {
    throw PaintingError.missingFile(name: path)
  }
}
