import Imaging
import Models
import Tokenizers
import Torch

/// The way of DALL·E mini (Dayma et al. 2021): a transformer writes pictures as VQGAN codes, CLIP
/// picks the best of several.
struct DALLE {
  let networks: Networks
  let easel: Easel
  var run: RunFolder?

  /// A candidate: the picture `[1, 3, H, W]` and its cosine similarity to the text.
  struct Candidate {
    let picture: Tensor
    let score: Double
  }

  /// Samples candidates in groups, as many at once as there are threads.
  /// - Parameter request: resolved.
  /// - Returns: candidates, best first; fewer than asked for when stopped, but at least one.
  func paint(_ request: Request) throws -> [Candidate] {
    let seed = UInt64(request.seed ?? 0)
    let text = try request.scenes()[0].first?.text ?? ""
    let dalle = try networks.dalle()
    let vqgan = try networks.vqgan()
    let judges = try networks.perceptors(request).map { ($0, $0.embedding(of: text)) }
    let config = dalle.config
    let tokens = try networks.tokenizer()(
      [text, ""], length: config.text_token_count, padding: config.pad_token
    ).to(networks.device)
    let sampling = DALLEBart.Sampling(
      conditionScale: request.conditionScale ?? 1, temperature: request.temperature ?? 1,
      topK: request.topK ?? 1)
    let side = Int(Double(config.image_token_count).squareRoot())
    let count = request.candidates ?? 1
    let total = count * config.image_token_count

    let kept = try run?.checkpoint(Kept.self)
    let groups = CandidateGroup.all(of: count)
    let sampler = CandidateSampler(
      dalle: dalle, text: tokens[0..<1], empty: tokens[1..<2], sampling: sampling, seed: seed)
    let atOnce = networks.device == .cpu ? Libtorch.threads : 1
    var drawn: [Tensor] = []
    var candidates: [Candidate] = []
    while drawn.count < groups.count {
      let round = Array(groups[drawn.count..<min(drawn.count + atOnce, groups.count)])
      let known = try kept?.tensor("codes.\(drawn.count)")
      let codes =
        try known.map { [$0.to(networks.device)] }
        ?? sampler(round, isStopped: { easel.isStopped }) { done in
          let step = candidates.count * config.image_token_count + done
          easel.emit(.step(.init(step: step, total: total, unit: "token", loss: nil)))
        }
      for codes in codes {
        drawn.append(codes)
        let pictures = noGrad {
          let z = vqgan.lookUp(codes.reshaped(codes.size(0), side, side, config.levels))
          return (vqgan.decode(z) + 1) / 2
        }
        let opinions = judges.map { $0.similarity(pictures, to: $1) * $0.weight }
        let agreed = opinions.dropFirst().reduce(opinions[0], +)
        for (index, score) in agreed.floats().map(Double.init).enumerated() {
          candidates.append(Candidate(picture: pictures[index..<index + 1], score: score))
          guard easel.wantsPreview(candidates.count), known == nil else { continue }
          easel.emit(
            .preview(
              .init(picture: try Picture(pictures[index]), step: candidates.count, score: score)))
        }
      }
      if known == nil { try save(drawn) }
      if known == nil, codes.count < round.count { break }  // stopped
    }
    guard !candidates.isEmpty else { throw PaintingError.stoppedEarly }
    return candidates.enumerated().sorted {
      ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
    }.map(\.element)
  }

  /// What a checkpoint says beside the codes of each group.
  private struct Kept: Codable {
    let groups: Int
  }

  /// Keeps the codes of all groups so far: pictures and scores follow from them.
  private func save(_ drawn: [Tensor]) throws {
    let named = drawn.enumerated().map { ("codes.\($0)", $1) }
    try run?.save(Kept(groups: drawn.count), Dictionary(uniqueKeysWithValues: named))
  }
}

/// What a method paints at: where it reports, and how it learns that it should stop.
struct Easel {
  /// Takes an event.
  let emit: (Event) -> Void
  /// Steps between previews; nil for none.
  let previewEvery: Int?

  /// Whether the task was cancelled.
  var isStopped: Bool { Task.isCancelled }

  func wantsPreview(_ step: Int) -> Bool {
    guard let previewEvery else { return false }
    return step % previewEvery == 0
  }
}
