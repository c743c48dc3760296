import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch

/// Attention: which word is looked at where.
struct AttentionFigures {
  let workshop: Workshop

  var all: [Figure] {
    [Figure("attention-words", sheet: words), Figure("attention-attngan", drawing: attnGAN)]
  }

  /// Pictures lit where the transformer looked at a word while it wrote their codes.
  private func words() async throws -> ContactSheet {
    let dalle: DALLEBart = try workshop.network()
    var cells: [ContactSheet.Cell] = []
    for (prompt, words, seed) in [
      ("a cat and a pineapple on a light blue background", ["cat", "pineapple", "blue"], 2),
      ("a lion and a rainbow on a pink background", ["lion", "rainbow", "pink"], 1),
    ] {
      let written = try workshop.written(prompt, by: dalle, seed: UInt64(seed))
      let picture = try workshop.picture(ofCodes: written.codes)
      let layers = noGrad { dalle.attention(written.text, written.codes) }
      let mean = layers.dropFirst().reduce(layers[0], +).mean(over: [1])[0]  // [positions, T]
      cells.append(.init(picture, caption: "the picture"))
      for word in words {
        let map = places(of: word, in: prompt).map { mean.select(1, $0) }
        let light = map.dropFirst().reduce(map[0], +).reshaped(1, 1, 16, 16)
        cells.append(.init(try lit(picture, by: light), caption: "“\(word)”"))
      }
    }
    return ContactSheet(cells, columns: 4, cellSize: 128, captionSize: 12)
  }

  /// The tokens that a word of a text became; the first is the start token.
  private func places(of word: String, in text: String) -> [Int] {
    let before = workshop.tokenizer.encode(
      String(text.prefix(upTo: text.range(of: word)?.lowerBound ?? text.startIndex)))
    let count = workshop.tokenizer.encode(word).count
    return (0..<count).map { before.count + 1 + $0 }
  }

  private func lit(_ picture: Picture, by map: Tensor) throws -> Picture {
    let (low, high) = (map.amin(), map.amax())
    let light = ((map - low) / (high - low)).resampled(picture.height, picture.width, .bilinear)
    return try Picture(picture.tensor() * (light * 0.88 + 0.12))
  }

  /// The three stages of AttnGAN, and where the words come in.
  private func attnGAN() async throws -> Drawing {
    var drawing = Drawing(
      width: 780, height: 300,
      title: "AttnGAN: three stages, the second and third of which look at the words")
    func box(
      _ x: Double, _ y: Double, _ width: Double, _ title: String, _ more: String, _ ink: Drawing.Ink
    ) {
      drawing.box(x, y, width, 54, ink, share: 0.12, round: 8)
      drawing.box(x, y, width, 54, ink, round: 8)
      drawing.text(title, x + width / 2, y + 23, anchor: .middle, bold: true)
      drawing.text(more, x + width / 2, y + 42, .soft, anchor: .middle, size: 12)
    }
    func arrow(_ points: [(x: Double, y: Double)], _ ink: Drawing.Ink) {
      drawing.line(points, ink, width: 1.5)
      guard let tip = points.last, points.count > 1 else { return }
      let from = points[points.count - 2]
      let (dx, dy) = (tip.x - from.x, tip.y - from.y)
      let length = (dx * dx + dy * dy).squareRoot()
      let (ux, uy) = (dx / length * 7, dy / length * 7)
      drawing.line(
        [
          (tip.x - ux - uy * 0.6, tip.y - uy + ux * 0.6), tip,
          (tip.x - ux + uy * 0.6, tip.y - uy - ux * 0.6),
        ], ink,
        width: 1.5)
    }
    box(16, 24, 170, "the text, read", "forwards and backwards", .d)
    box(16, 140, 170, "noise", "another picture each time", .c)
    box(236, 140, 130, "stage 1", "64 x 64", .a)
    box(416, 140, 130, "stage 2", "128 x 128", .a)
    box(596, 140, 130, "stage 3", "256 x 256", .a)
    arrow([(186, 167), (234, 167)], .soft)
    arrow([(366, 167), (414, 167)], .soft)
    arrow([(546, 167), (594, 167)], .soft)
    arrow([(140, 78), (140, 112), (300, 112), (300, 138)], .d)
    drawing.text("the sentence as a whole", 150, 106, .soft, size: 12)
    arrow([(186, 44), (480, 44), (480, 138)], .d)
    arrow([(480, 44), (660, 44), (660, 138)], .d)
    drawing.text("word by word: attention", 490, 36, .soft, size: 12)
    for (x, text) in [
      (301.0, "the rough shape"), (481, "each place takes"), (661, "and once more,"),
    ] {
      drawing.text(text, x, 222, .soft, anchor: .middle, size: 12)
    }
    for (x, text) in [(301.0, "and the colours"), (481, "the words that it needs"), (661, "finer")]
    {
      drawing.text(text, x, 240, .soft, anchor: .middle, size: 12)
    }
    drawing.text(
      "Each stage had a discriminator of its own while it learnt; none of them is needed to paint.",
      16, 282, .soft, size: 12)
    return drawing
  }
}
