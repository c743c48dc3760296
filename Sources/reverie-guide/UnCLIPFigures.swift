import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch

/// unCLIP: from a text to the embedding of a picture, and from that to pictures.
struct UnCLIPFigures {
  let workshop: Workshop

  var all: [Figure] {
    [
      Figure("unclip-prior", drawing: nearness), Figure("unclip-samples", sheet: samples),
      Figure("unclip-variations", sheet: variations), Figure("unclip-between", sheet: between),
    ]
  }

  // MARK: The prior

  /// Embeddings of pictures that a text may be of, `[count, E]`, each of length one.
  private func found(_ text: String, count: Int, scale: Double = 4, seed: UInt64) throws -> Tensor {
    let prior: UnCLIPPrior = try workshop.network()
    let read = { (text: String) in
      noGrad {
        PriorText(
          workshop.clip, workshop.tokenizer([text], length: workshop.clip.config.text.contextLength)
        )
      }
    }
    let wanted = read(text)
    let rows = (0..<count).map { _ in wanted }
    let texts = PriorText(
      embedding: concatenated(rows.map(\.embedding), over: 0),
      encoding: concatenated(rows.map(\.encoding), over: 0),
      mask: concatenated(rows.map(\.mask), over: 0))
    return try prior.sample(
      texts, null: read(""), scale: scale, stream: RandomStream(seed: seed, "embeddings")
    ).normalized()
  }

  /// How near to pictures of a thing are its name, and what the prior makes of the name.
  private func nearness() async throws -> Drawing {
    let names = ["a fox", "an apple", "a sailboat", "a guitar", "a cactus"]
    var drawing = Drawing(
      width: 700, height: 60 + names.count * 56,
      title: "How near texts, and what the prior makes of them, are to pictures of what they say")
    for (row, name) in names.enumerated() {
      let picture = try await workshop.picture(of: name)
      let seen = workshop.embedding(of: picture)
      let y = 16 + Double(row) * 56
      try drawing.picture(picture, 16, y, 44, 44)
      drawing.text(name, 76, y + 27)
      let values = [
        (cosine(workshop.embedding(of: name), seen), Drawing.Ink.a),
        (cosine(try found(name, count: 1, seed: 1), seen), Drawing.Ink.c),
      ]
      for (line, (value, ink)) in values.enumerated() {
        let top = y + 3 + Double(line) * 20
        drawing.box(180, top, 400 * max(0, value), 16, ink, share: 0.75, round: 3)
        drawing.text(
          String(format: "%.2f", value), 188 + 400 * max(0, value), top + 13, .soft, size: 12)
      }
    }
    let y = 24 + Double(names.count) * 56
    for (x, text, ink) in [
      (180.0, "the text", Drawing.Ink.a), (270, "what the prior made of it", .c),
    ] {
      drawing.box(x, y, 14, 14, ink, share: 0.75, round: 3)
      drawing.text(text, x + 22, y + 12, .soft, size: 13)
    }
    return drawing
  }

  /// Embeddings that the prior found for one text, each painted three times.
  private func samples() async throws -> ContactSheet {
    let way = try workshop.noiseToPicture()
    let embeddings = try found("on a pink background", count: 4, scale: 1, seed: 2)
    let cells = try (0..<3).flatMap { seed in
      try (0..<4).map { sample in
        let end = try way(
          [(embeddings[sample..<sample + 1], 2)], seed: UInt64(10 + seed), steps: workshop.steps(25)
        ).end
        return ContactSheet.Cell(try way.shown(end))
      }
    }
    return ContactSheet(
      cells, columns: 4, columnLabels: (1...4).map { "embedding \($0)" },
      rowLabels: (1...3).map { "noise \($0)" }, cellSize: 96, captionSize: 12)
  }

  // MARK: Pictures as prompts

  /// A painting of pictures that are prompts, with their weights.
  private func painted(
    _ pictures: [(Picture, weight: Double)], _ text: String = "", seed: Int = 1,
    _ change: (inout Request) -> Void = { _ in }
  ) async throws -> Picture {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "reverie-guide-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var files = Attachments()
    var request = workshop.request(text, "unclip", seed: seed) {
      ($0.width, $0.height, $0.iterations) = (128, 128, workshop.steps(25))
    }
    request.prompts = try pictures.enumerated().map { index, picture in
      let url = folder.appending(path: "\(index).png")
      try picture.0.write(to: url.path)
      return Prompt(.image(try files.add(url)), weight: picture.weight)
    }
    change(&request)
    return try await workshop.engine.picture(of: request, .init(files: files))
  }

  /// A picture, and others of what it shows.
  private func variations() async throws -> ContactSheet {
    var cells: [ContactSheet.Cell] = []
    for (prompt, seed) in [("a mushroom on a light blue background", 1), ("a sunflower", 1)] {
      let original = try await workshop.picture(of: prompt, seed: seed)
      cells.append(.init(original, caption: cells.isEmpty ? "given" : ""))
      for seed in 1...5 {
        cells.append(.init(try await painted([(original, 1)], seed: seed)))
      }
    }
    return ContactSheet(cells, columns: 6, cellSize: 112, captionSize: 12)
  }

  /// From one picture to another, and along the difference of two texts.
  private func between() async throws -> ContactSheet {
    let first = try await workshop.picture(of: "a lemon")
    let second = try await workshop.picture(of: "a strawberry")
    let shares = [0, 0.25, 0.5, 0.75, 1]
    var cells: [ContactSheet.Cell] = []
    for share in shares {
      let both = [(first, weight: 1 - share), (second, weight: share)].filter { $0.weight > 0 }
      cells.append(.init(try await painted(both, seed: 3)))
    }
    let house = try await workshop.picture(of: "a dog on a yellow background")
    for share in [0, 0.15, 0.3, 0.45, 0.6] {
      cells.append(
        .init(
          try await painted(
            [(house, weight: 1)], "on a blue background | on a yellow background:-1", seed: 3
          ) {
            $0.arguments["difference"] = .number(share)
          }))
    }
    return ContactSheet(
      cells, columns: shares.count, rowLabels: ["lemon to strawberry", "yellow to blue"],
      cellSize: 112,
      captionSize: 12)
  }
}
