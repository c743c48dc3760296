import Foundation
import Imaging
import Models
import Painting
import Torch

/// CLIP: texts and pictures in one space, where it looks, and how it chooses.
struct CLIPFigures {
  let workshop: Workshop

  private let names = ["a fox", "an apple", "a sailboat", "a guitar", "a cactus", "a pizza"]

  var all: [Figure] {
    [
      Figure("clip-table", drawing: table), Figure("clip-looks", sheet: looks),
      Figure("clip-words", drawing: words),
    ]
  }

  /// How near each text is to each picture.
  private func table() async throws -> Drawing {
    let (side, label, row) = (84.0, 120.0, 40.0)
    var drawing = Drawing(
      width: Int(label + Double(names.count) * (side + 8)) + 8,
      height: Int(side + Double(names.count) * row) + 40,
      title: "A table of cosines: every text is nearest to the picture that it was painted for")
    var pictures: [Tensor] = []
    for (column, name) in names.enumerated() {
      let picture = try await workshop.picture(of: name)
      pictures.append(workshop.embedding(of: picture))
      try drawing.picture(picture, label + Double(column) * (side + 8), 12, side, side)
    }
    for (row_, name) in names.enumerated() {
      let text = workshop.embedding(of: name)
      let y = side + 24 + Double(row_) * row
      drawing.text(name, label - 12, y + row / 2 + 5, anchor: .end, size: 15)
      for (column, picture) in pictures.enumerated() {
        let near = cosine(text, picture)
        let x = label + Double(column) * (side + 8)
        drawing.box(x, y + 2, side, row - 4, .a, share: min(1, max(0, near)) * 0.6, round: 4)
        drawing.text(
          String(format: "%.2f", near), x + side / 2, y + row / 2 + 5, anchor: .middle, size: 15,
          bold: row_ == column)
      }
    }
    return drawing
  }

  /// One picture lit where it would fit a text less if it were covered there.
  private func looks() async throws -> ContactSheet {
    var cells: [ContactSheet.Cell] = []
    for (prompt, words) in [
      ("a fox under a tree", ["a fox", "a tree"]),
      ("a guitar and a strawberry", ["a guitar", "a strawberry"]),
    ] {
      let picture = try await workshop.picture(of: prompt, seed: 2)
      cells.append(.init(picture, caption: "the picture"))
      for word in words {
        cells.append(.init(try lit(picture, where: word), caption: "“\(word)”"))
      }
    }
    return ContactSheet(cells, columns: 6, cellSize: 128, captionSize: 12)
  }

  /// - Returns: the picture, dark where covering it makes no difference to how well it fits the text.
  private func lit(_ picture: Picture, where text: String) throws -> Picture {
    let whole = picture.tensor()  // [1, 3, H, W]
    let (side, patch, stride) = (picture.width, 32, 8)
    let places = Array(Swift.stride(from: 0, through: side - patch, by: stride))
    let gray = whole.mean(over: [2, 3], keepDims: true)
    let wanted = workshop.embedding(of: text)
    let before = cosine(workshop.embeddings(of: whole), wanted)
    var light = Tensor.zeros([1, 1, side, side])
    var count = Tensor.zeros([1, 1, side, side])
    for y in places {
      // A row of covered pictures at once.
      let masks = places.map { x in
        Tensor.ones([1, 1, patch, patch]).padded([x, side - patch - x, y, side - patch - y])
      }
      let covered = concatenated(masks.map { whole * (1 - $0) + gray * $0 }, over: 0)
      let after = (workshop.embeddings(of: covered) * wanted).sum(over: [1]).floats()
      for (mask, near) in zip(masks, after) {
        light = light + mask * max(0, before - Double(near))
        count = count + mask
      }
    }
    let map = light / count
    // What matters little everywhere is no place.
    let shown = ((map / map.amax() - 0.25) / 0.75).clamped(0, 1) * 0.88 + 0.12
    return try Picture(whole * shown)
  }

  /// How near texts are to one picture that say more and more of it.
  private func words() async throws -> Drawing {
    let texts = [
      "a car", "a fruit", "an apple", "a red apple", "a red apple on a blue background",
      "a green apple on a blue background", "a red apple on a yellow background",
    ]
    let picture = try await workshop.picture(of: "a red apple on a blue background")
    let seen = workshop.embedding(of: picture)
    var drawing = Drawing(
      width: 800, height: 44 + texts.count * 28,
      title: "How near seven texts are to the picture of a red apple on blue")
    try drawing.picture(picture, 20, 22, 196, 196)
    for (row, text) in texts.enumerated() {
      let (y, near) = (22 + Double(row) * 28, cosine(workshop.embedding(of: text), seen))
      drawing.text(text, 506, y + 18, anchor: .end)
      drawing.box(516, y + 4, max(1, 220 * near), 18, .a, share: 0.75, round: 3)
      drawing.text(
        String(format: "%.2f", near).replacing("-0.00", with: "0.00"), 522 + 220 * max(0, near),
        y + 18, .soft, size: 13)
    }
    return drawing
  }
}
