import Foundation
import Imaging
import Models
import Painting
import Tokenizers
import Torch

/// Tokens: a transformer writes a picture code by code, and CLIP chooses among several.
struct TokenFigures {
  let workshop: Workshop

  private let prompt = "a panda on a green background"

  var all: [Figure] {
    [
      Figure("tokens-writing", sheet: writing), Figure("tokens-candidates", sheet: candidates),
      Figure("tokens-doubt", sheet: doubt),
    ]
  }

  /// One picture while it is written.
  private func writing() async throws -> ContactSheet {
    let request = workshop.request(prompt, "dalle", seed: 4) {
      ($0.width, $0.height, $0.candidates) = (128, 128, 1)
    }
    var cells: [ContactSheet.Cell] = []
    for try await event in workshop.engine.generate(request, .init(codesEvery: 32)) {
      switch event {
      case .preview(let preview):
        let rows = (preview.codes ?? 0) / 16
        cells.append(.init(preview.picture, caption: "\(rows) rows of 16"))
      case .image(let output): cells.append(.init(output.picture, caption: "all 16 rows"))
      default: break
      }
    }
    return ContactSheet(cells, columns: 8, cellSize: 96, captionSize: 12)
  }

  /// Eight candidates, the best first.
  private func candidates() async throws -> ContactSheet {
    let request = workshop.request("an owl at night", "dalle", seed: 1) {
      ($0.width, $0.height, $0.candidates) = (128, 128, 8)
      $0.arguments = ["temperature": .number(1.3), "topK": .integer(1000)]
    }
    var cells: [ContactSheet.Cell] = []
    for try await event in workshop.engine.generate(request, .init(showsCandidates: true)) {
      guard case .candidates(let all) = event else { continue }
      for (rank, candidate) in all.enumerated() {
        cells.append(
          .init(
            candidate.picture,
            caption: "\(rank + 1).   " + String(format: "%.3f", candidate.score ?? 0)))
      }
    }
    return ContactSheet(cells, columns: 8, cellSize: 96, captionSize: 12)
  }

  /// Where the transformer was not sure which code to write.
  private func doubt() async throws -> ContactSheet {
    let dalle: DALLEBart = try workshop.network()
    var cells: [ContactSheet.Cell] = []
    for (prompt, seed) in [
      (prompt, 4), ("a sunset over mountains", 1), ("a bicycle on an orange background", 2),
    ] {
      let written = try workshop.written(prompt, by: dalle, seed: UInt64(seed))
      let picture = try workshop.picture(ofCodes: written.codes)
      let logits = noGrad { dalle.logits(written.text, written.codes) }[0]
      let chosen = logits.logSoftmax(over: -1)  // [1, positions, K]
        .gather(2, written.codes.select(2, 0).unsqueezed(2)).reshaped(1, 1, 16, 16)
      let guess = (-chosen / 6).clamped(0, 1).resampled(128, 128, .nearest)
      let amber = Tensor([1, 0.75, 0.1], [1, 3, 1, 1])
      let map = picture.tensor() * 0.3 * (1 - guess) + amber * guess
      cells.append(.init(picture, caption: prompt))
      cells.append(.init(try Picture(map), caption: "bright: it had to guess"))
    }
    return ContactSheet(cells, columns: 6, cellSize: 128, captionSize: 12)
  }
}

extension Workshop {
  /// A picture as a transformer wrote it: the text as it was read, and its codes `[1, positions, levels]`.
  struct Written {
    let text: DALLEBart.EncodedText
    let codes: Tensor
  }

  /// A text written as a picture, without choice among several.
  func written(_ prompt: String, by dalle: DALLEBart, seed: UInt64) throws -> Written {
    let tokens = { (text: String) in
      self.tokenizer([text], length: dalle.config.text_token_count, padding: dalle.config.pad_token)
    }
    let codes = try dalle.sample(
      tokens(prompt), empty: tokens(""), count: 1,
      .init(conditionScale: 2, temperature: 0.8, topK: 100),
      RandomStream(seed: seed, "candidates from 0"))
    return Written(text: noGrad { dalle.encode(tokens(prompt)) }, codes: codes)
  }

  /// What the pack's VQGAN draws of codes `[1, positions, levels]`.
  func picture(ofCodes codes: Tensor) throws -> Picture {
    let side = Int(Double(codes.size(1)).squareRoot())
    return try Picture(
      noGrad { (vqgan.decode(vqgan.lookUp(codes.reshaped(1, side, side, codes.size(2)))) + 1) / 2 })
  }
}
