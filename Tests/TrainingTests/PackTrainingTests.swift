import Foundation
import Imaging
import Models
import Painting
import Testing
import Torch
import Weights

@testable import Training

/// Whether the emoji font and the names are installed.
let hasCorpus =
  FileManager.default.fileExists(atPath: GlyphArt.defaultFontPath)
  && EmojiCatalogue.defaultAnnotationPaths.allSatisfy(FileManager.default.fileExists)

let withoutCorpus: Comment =
  "needs the packages fonts-noto-color-emoji and unicode-cldr-core"

private let network = """
  network:
    ch: 8
    ch_mult: [1, 1, 2]
    num_res_blocks: 1
    attn_levels: []
    norm_num_groups: 4
    z_channels: 8
    embed_dim: 4
    n_embed: 16
    levels: 2
    patch: 2
    normalized: true
  """

private func schedule(steps: Int, batch: Int) -> String {
  """
  schedule:
    seed: 1
    steps: \(steps)
    batch: \(batch)
    rate: 0.001
    warmup: 1
    cooldown: 1
    decay: 0.0
    beta2: 0.99
    clip: 1.0
    averaging: 0.9
    saveEvery: 10
    sampleEvery: \(steps)
  """
}

private func losses(noise: Double, perceptual: Double, adversarial: Double) -> String {
  """

  noise: \(noise)
  edges: 0.5
  perceptual: \(perceptual)
  texture: \(perceptual)
  adversarial: \(adversarial)
  discriminator: 8
  styles: 0.2
  white: 0.15

  """
}

private func clip(side: Int) -> String {
  """
  network:
    embed_dim: 8
    vision_cfg: {image_size: \(side), patch_size: 8, width: 16, layers: 1, head_width: 8, mlp_ratio: 2}
    text_cfg: {context_length: 24, vocab_size: 600, width: 16, heads: 2, layers: 1}
    quick_gelu: true
  reconstructed: 0.5
  disturbance: 0.5

  """
}

let configurations: [PackTraining.Stage: String] = [
  .tokenizer: "seed: 1\nvocabulary: 600\ncaptions: 200\n",
  .vqgan: network + losses(noise: 0.1, perceptual: 0, adversarial: 0)
    + schedule(steps: 2, batch: 4),
  .decoder: network + losses(noise: 0, perceptual: 0.1, adversarial: 0.2)
    + schedule(steps: 2, batch: 4),
  .clip: clip(side: 64) + schedule(steps: 2, batch: 4),
  .judgeCLIP: clip(side: 56) + schedule(steps: 2, batch: 4),
  .dalle: """
  network:
    text_vocab_count: 601
    text_token_count: 24
    image_vocab_count: 16
    image_token_count: 64
    levels: 2
    embed_count: 16
    attention_head_count: 2
    glu_embed_count: 16
    encoder_layer_count: 1
    decoder_layer_count: 1
    pad_token: 600
  emptyCaptions: 0.5
  bareScenes: 0.2
  chatter: 0.5
  falseCodes: 0.5
  falseCodesAtEnd: 0.1
  conditionScale: 1.5
  temperature: 0.7
  topK: 4

  """ + schedule(steps: 2, batch: 4),
  .diffusion: """
  network:
    channels: 4
    size: 8
    widths: [8, 16]
    blocks: [1, 1]
    attention: 1
    headWidth: 8
    isPort: false
    endsWithReLU: false
    condition: {embedding: 8, width: 16, timeFeatures: 8}
  emptyCaptions: 0.2
  pool: 8
  pairs: 0.1
  counts: 0.0
  bareScenes: 0.1
  scenes: 0.2
  styles: 0.0
  chatter: 0.3
  pictures: 0.5
  conditionScale: 2.0

  """ + schedule(steps: 2, batch: 4),
  .prior: """
  network: {text_ctx: 24, xf_width: 16, xf_layers: 1, xf_heads: 2, clip_dim: 8, text_dim: 16, hasStatistics: true}
  emptyCaptions: 0.2
  pool: 8
  chatter: 0.3

  """ + schedule(steps: 2, batch: 4),
  .dvae: """
  network: {group_count: 4, n_hid: 4, n_blk_per_group: 1, vocab_size: 16, n_init: 8}
  temperature: 0.1
  annealing: 2
  evenness: 1.0

  """ + schedule(steps: 2, batch: 4),
  .biggan: """
  network:
    z_dim: 8
    channel_width: 4
    num_classes: 1053
    layers: [[true, 16, 8], [true, 8, 4], [true, 4, 2], [true, 2, 1]]
    attention_layer_position: 2
    eps: 0.0001
    n_stats: 2
  edges: 0.5

  """ + schedule(steps: 2, batch: 4),
  .upscaler: """
  network: {scale: 2, num_feat: 8, num_block: 1, num_grow_ch: 4}
  crop: 32
  edges: 0.5
  adversarial: 0.1
  discriminator: 8
  reconstructed: 0.5

  """ + schedule(steps: 2, batch: 2),
  .damsm: """
  network: {words: 4096, inputs: 8, width: 16}
  pictures: {width: 8, size: 32}
  length: 24
  dropout: 0.3
  gammas: [4, 5, 10]
  chatter: 0.2

  """ + schedule(steps: 2, batch: 4),
  .attngan: """
  network: {gf_dim: 2, z_dim: 4, condition_dim: 4, embedding_dim: 16, r_num: 1, branch_num: 2, dcgan: false}
  discriminator: 8
  matching: 1.0
  divergence: 1.0
  teaching: 1.0
  growing: 1
  playing: 1
  pairs: 0.2
  scenes: 0.2
  styles: 0.2

  """ + schedule(steps: 2, batch: 4),
  .judge: "size: 64\nwidths: [8, 8, 16]\nsmoothing: 0.05\nstyles: 0.5\nwhite: 0.5\nplain: 0.5\n"
    + schedule(steps: 2, batch: 4),
]

private let identity = """
  id: tiny
  version: 0.0.1
  title: A test
  pictureSize: 64
  largestSize: 128
  defaults: {method: dalle, dalle: {candidates: 2, topK: 4}}
  examples: [a fox]
  eightBits: [dalle]
  """

@Suite("Pack training", .enabled(if: hasCorpus, withoutCorpus))
struct PackTrainingTests {
  func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "pack-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder)
  }

  func write(_ text: String, _ name: String, in folder: URL) throws -> URL {
    let url = folder.appending(path: name)
    try Data(text.utf8).write(to: url)
    return url
  }

  func training(
    _ folder: URL, start: Pack? = nil, judge: URL? = nil, group: ProcessGroup = ProcessGroup(),
    report: @escaping (Trainer.Report) -> Void = { _ in }
  ) -> PackTraining {
    PackTraining(
      .init(
        folder: folder, data: .emoji(size: 64), start: start, judge: judge, device: .cpu,
        precision: .float32, group: group,
        stop: { false }, report: report, say: { _ in }))
  }

  @Test("every stage trains, and what they make is gathered into a pack that paints")
  func everything() async throws {
    try await withFolder { folder in
      for stage in PackTraining.Stage.allCases {
        let text = try #require(configurations[stage])
        let configuration = try write(text, "\(stage.rawValue).yaml", in: folder)
        try training(folder).run(stage, configuration: configuration)
      }
      let sheet = try Picture.read(from: folder.appending(path: "tokenizer/samples.png"))
      #expect(sheet.width > 1000 && sheet.height > 1000)
      let out = folder.appending(path: "out")
      try PackAssembly(runs: folder).assemble(
        configuration: write(identity, "pack.yaml", in: folder), into: out)

      let pack = try Pack(folder: out)
      #expect(pack.manifest.files.count == 13)
      var request = Request("a fox on a blue background")
      request.seed = 3
      var pictures: [Picture] = []
      for try await event in Engine(pack: pack, threads: 1).generate(request) {
        if case .image(let output) = event { pictures.append(output.picture) }
      }
      #expect(pictures.count == 1)

      request.method = "attngan"
      request.candidates = 1
      var drawn: [Int] = []
      for try await event in Engine(pack: pack, threads: 1).generate(request) {
        if case .image(let output) = event { drawn.append(output.picture.width) }
      }
      #expect(drawn == [256])

      let judges = folder.appending(path: "judges")
      try PackAssembly(runs: folder).assembleJudges(into: judges)
      let opinion = try Judge(folder: judges)(pictures[0])
      #expect(opinion.concepts.count == 5)
      #expect(opinion.grounds.count == 5)
      let cosines = try CLIPJudge(folder: judges).cosines(pictures, ["a fox", "a whale"])
      #expect(cosines.map(\.count) == [2])
      try continues(pack, in: folder.appending(path: "next"))
      try continues(judges, in: folder.appending(path: "next"))
    }
  }

  /// A training of the judge that starts from one begins with its weights.
  private func continues(_ judges: URL, in folder: URL) throws {
    let still = try #require(configurations[.judge])
      .replacing("rate: 0.001", with: "rate: 0").replacing("steps: 2", with: "steps: 1")
    try training(folder, judge: judges)
      .run(.judge, configuration: write(still, "judge.yaml", in: folder))
    let old = try SafeTensors(contentsOf: judges.appending(path: "judge.safetensors"))
    let new = try SafeTensors(contentsOf: folder.appending(path: "judge/judge.safetensors"))
    for name in try Checkpoint(old).keys {
      #expect(try new.weight(name).floats() == old.weight(name).floats(), "\(name)")
    }
  }

  /// A training that starts from a pack begins with its weights, uses its other networks, and a pack
  /// made of it takes from the old one what was not trained.
  private func continues(_ pack: Pack, in folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let still = try #require(configurations[.dalle])
      .replacing("rate: 0.001", with: "rate: 0").replacing("steps: 2", with: "steps: 1")
    try training(folder, start: pack)
      .run(.dalle, configuration: write(still, "dalle.yaml", in: folder))
    let old = try SafeTensors(contentsOf: pack.folder.appending(path: "dalle.safetensors"))
    let new = try SafeTensors(contentsOf: folder.appending(path: "dalle/dalle.safetensors"))
    for name in try Checkpoint(old).keys {
      #expect(try new.weight(name).floats() == old.weight(name).floats(), "\(name)")
    }
    let manifest = try PackAssembly(runs: folder, start: pack).assemble(
      configuration: write(identity, "pack.yaml", in: folder), into: folder.appending(path: "out"))
    #expect(manifest.networks == pack.manifest.networks)
    #expect(manifest.files == pack.manifest.files)
  }

  @Test("script/train-pack runs all stages, in the order in which each finds what it needs")
  func script() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let script = try String(contentsOf: root.appending(path: "script/train-pack"), encoding: .utf8)
    let stages = PackTraining.Stage.allCases.map(\.rawValue).joined(separator: " ")
    #expect(script.contains("\nall=(\(stages))\n"))
  }

  @Test("each configuration of the pack has its own seed")
  func seeds() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Configurations/pack")
    let texts = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
    let seeds = texts.flatMap { text in
      text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { $0.hasPrefix("seed:") }.map { $0.split(separator: " ")[1] }
    }
    #expect(seeds.count > 10 && Set(seeds).count == seeds.count)
  }

  @Test(
    "sizes that do not fit each other are refused with the key to change",
    arguments: [
      (PackTraining.Stage.vqgan, "discriminator: 8", "discriminator: 3", "'discriminator'"),
      (.vqgan, "patch: 2", "patch: 3", "pixels"),
      (.vqgan, "styles: 0.2", "styles: 1.2", "'styles'"),
      (.clip, "reconstructed: 0.5", "reconstructed: 1.5", "'reconstructed'"),
      (
        .clip, "disturbance: 0.5",
        "attack: {part: 2, radius: 1, growth: 0, steps: 1}\ndisturbance: 0.5",
        "'attack'"
      ),
      (.clip, "disturbance: 0.5", "negatives: 8\ndisturbance: 0.5", "'frozenText: true'"),
      (.judge, "beta2: 0.99", "beta2: 1.0", "beta2"),
      (.dvae, "temperature: 0.1", "temperature: 0.0", "'temperature'"),
      (.prior, "hasStatistics: true", "hasStatistics: false", "'hasStatistics'"),
      (.diffusion, "pictures: 0.5", "pictures: 1.5", "'pictures'"),
      (.dalle, "image_token_count: 64", "image_token_count: 16", "'image_token_count'"),
    ])
  func misfits(stage: PackTraining.Stage, right: String, wrong: String, word: String) async throws {
    try await withFolder { folder in
      let needs: [PackTraining.Stage] =
        switch stage {
        case .dalle: [.tokenizer, .vqgan]
        case .clip: [.tokenizer]
        case .prior: [.tokenizer, .vqgan, .clip]
        case .diffusion: [.tokenizer, .vqgan, .clip, .decoder]
        default: []
        }
      for stage in needs {
        let text = try #require(configurations[stage])
        try training(folder).run(
          stage, configuration: write(text, "\(stage.rawValue).yaml", in: folder))
      }
      let text = try #require(configurations[stage])
      #expect(text.contains(right))
      let configuration = try write(
        text.replacing(right, with: wrong), "wrong.yaml", in: folder)
      let error = #expect(throws: TrainingError.self) {
        try training(folder).run(stage, configuration: configuration)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(word))
    }
  }

  @Test("pictures on the grid and elsewhere show different things in a batch")
  func different() throws {
    let sets = try training(URL(filePath: "/nowhere")).sets(seed: 3, jitter: true).train
    #expect(sets.count == 2)
    let same = (0..<100).filter { sets[0].label($0).conceptIDs == sets[1].label($0).conceptIDs }
    #expect(same.count < 5)
  }

  @Test("a CLIP trained under attack keeps its text tower where that is asked for")
  func attacked() async throws {
    try await withFolder { folder in
      let tokenizer = try #require(configurations[.tokenizer])
      try training(folder).run(.tokenizer, configuration: write(tokenizer, "t.yaml", in: folder))
      let plain = clip(side: 64).replacing("reconstructed: 0.5", with: "reconstructed: 0.0")
      func weights(_ more: String, steps: Int, _ name: String) throws -> SafeTensors {
        let runs = folder.appending(path: name)
        try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          at: folder.appending(path: "tokenizer"), to: runs.appending(path: "tokenizer"))
        let configuration = try write(
          plain + more + schedule(steps: steps, batch: 4), "clip.yaml", in: runs)
        try training(runs).run(.clip, configuration: configuration)
        return try SafeTensors(contentsOf: runs.appending(path: "clip/clip.safetensors"))
      }
      let attack = "attack: {part: 0.5, radius: 1.5, growth: 2, steps: 1}\nchatter: 0.5\n"
      let frozen = try weights(attack + "frozenText: true\nnegatives: 40\n", steps: 3, "frozen")
      let one = try weights(attack + "frozenText: true\nnegatives: 40\n", steps: 1, "one")
      let alone = try weights(attack + "frozenText: true\n", steps: 1, "alone")
      let moved = try weights(attack, steps: 3, "moved")
      #expect(Set(frozen.entries.keys) == Set(moved.entries.keys))
      func isSame(_ key: String, _ a: SafeTensors, _ b: SafeTensors) throws -> Bool {
        try (a.tensor(key) - b.tensor(key)).abs().sum().item() == 0
      }
      #expect(try isSame("token_embedding.weight", frozen, one))
      #expect(try !isSame("token_embedding.weight", moved, one))
      #expect(try !isSame("visual.conv1.weight", frozen, one))
      #expect(try isSame("token_embedding.weight", alone, one))
      #expect(try !isSame("visual.conv1.weight", alone, one))
    }
  }

  @Test("a stage that was begun goes on longer, and with no other rate or corpus")
  func changed() async throws {
    try await withFolder { folder in
      let begun = try #require(configurations[.judge])
      func run(_ old: String, _ new: String) throws {
        #expect(begun.contains(old))
        let configuration = try write(begun.replacing(old, with: new), "judge.yaml", in: folder)
        try training(folder).run(.judge, configuration: configuration)
      }
      try run("steps: 2", "steps: 1")
      let kept = folder.appending(path: "judge/config.yaml")
      let before = try Data(contentsOf: kept)
      for (old, new) in [("rate: 0.001", "rate: 0.002"), ("styles: 0.5", "styles: 0.4")] {
        #expect(throws: TrainingError.self) { try run(old, new) }
        #expect(try Data(contentsOf: kept) == before)
      }
      try run("steps: 2", "steps: 3")
      let checkpoint = folder.appending(path: "judge/checkpoint.safetensors")
      #expect(try SafeTensors(contentsOf: checkpoint).metadata["step"] == "3")
    }
  }

  @Test("a stage whose forerunner has not run names the command that makes what is missing")
  func forerunner() async throws {
    try await withFolder { folder in
      let configuration = try write(try #require(configurations[.dalle]), "dalle.yaml", in: folder)
      let error = #expect(throws: TrainingError.self) {
        try training(folder).run(.dalle, configuration: configuration)
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains("reverie train vqgan"))
    }
  }
}
