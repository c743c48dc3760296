import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against taoxugit/AttnGAN, by `Oracle/attngan.py`.
@Suite("AttnGAN")
struct AttnGANTests {
  private let file: SafeTensors

  init() throws {
    file = try SafeTensors(contentsOf: Fixtures.url("attngan.safetensors"))
  }

  /// Within 1e-4 of the largest value.
  private func expectSame(
    _ actual: Tensor, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try file.tensor(name)
    let scale = min(1, expected.abs().amax().item())
    expectClose(actual, expected, atol: 1e-4 * scale, name, sourceLocation: sourceLocation)
  }

  private func every(_ step: Int, _ x: Tensor) -> Tensor {
    let rows = Tensor(
      Array(stride(from: 0, to: x.size(-1), by: step)), [(x.size(-1) - 1) / step + 1])
    return x.indexSelect(-2, rows).indexSelect(-1, rows)
  }

  /// A network whose weights follow from their keys, and how many numbers the original counts as its own.
  private func synthetic<N: Network>(_ type: N.Type, _ config: N.Config) -> (N, parameters: Int) {
    let source = Recorder()
    let network = N(Parameters(source), config)
    let own = source.shapes.filter { !$0.key.contains(".running_") }
    return (network, own.values.reduce(0) { $0 + $1.reduce(1, *) })
  }

  @Test("the published text encoder reads words and texts of several lengths as the original")
  func text() throws {
    let (encoder, count) = synthetic(AttnGANText.self, .init(words: 5450))
    #expect(count == 2_075_320)
    #expect(try file.tensor("text.count").ints() == [count])
    let reading = encoder(
      try file.tensor("text.tokens"), lengths: try file.tensor("text.lengths").ints())
    try expectSame(reading.words, "text.words")
    try expectSame(reading.sentence, "text.sentence")
    let isOpen = reading.mask.squeezed(1).equals(0).ints()
    #expect(isOpen == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  }

  @Test(
    "generators of the published sizes draw and attend as the original",
    arguments: [
      ("bird", AttnGAN.Config.bird, 7_084_592), ("coco", .coco, 13_811_456),
      ("dcgan", .init(r_num: 0, dcgan: true), 6_638_960),
    ])
  func pictures(name: String, config: AttnGAN.Config, parameters: Int) throws {
    let (generator, count) = synthetic(AttnGAN.self, config)
    #expect(count == parameters)
    #expect(try file.tensor("\(name).count").ints() == [count])
    let words = try file.tensor("text.words")[1..<2]
    let condition = generator.condition(try file.tensor("text.sentence")[1..<2])
    try expectSame(condition.mean, "\(name).mean")
    try expectSame(condition.logVariance, "\(name).spread")
    let mask = Tensor([0, 0, 0, 0] + [Float](repeating: -.infinity, count: 3), [1, 1, 7])
    let drawing = generator(
      try file.tensor("noise"), condition(try file.tensor("eps")), words, mask: mask)
    #expect(drawing.pictures.map { $0.size(-1) } == (config.dcgan ? [256] : [64, 128, 256]))
    #expect(drawing.pictures.last?.size(-1) == config.size)
    for (index, picture) in drawing.pictures.enumerated() {
      try expectSame(every(8, picture), "\(name).picture.\(index)")
    }
    #expect(drawing.attention.map(\.shape) == [[1, 7, 64, 64], [1, 7, 128, 128]])
    for (index, attention) in drawing.attention.enumerated() {
      try expectSame(every(8, attention), "\(name).attention.\(index)")
    }
  }

  @Test("the image encoder sees regions and wholes as the original")
  func images() throws {
    let (encoder, count) = synthetic(DAMSMImageEncoder.self, .init())
    #expect(try file.tensor("damsm.count").ints() == [count])
    let pictures = try file.tensor("damsm.pictures").resampled(256, 256, .nearest)
    let (regions, whole) = noGrad { encoder(pictures) }
    #expect(regions.shape == [2, 256, 17, 17])
    try expectSame(
      regions.indexSelect(1, Tensor((0..<16).map { 16 * $0 }, [16])), "damsm.regions")
    try expectSame(whole, "damsm.whole")
  }

  @Test("texts and pictures go together as in the original, with its gradient")
  func likeness() throws {
    let regions = try file.tensor("loss.regions").cloned().variable()
    let words = try file.tensor("loss.words").cloned().variable()
    let whole = try file.tensor("loss.whole").cloned().variable()
    let damsm = DAMSMLikeness()
    let (scores, attention) = damsm.words(
      regions, words, lengths: try file.tensor("text.lengths").ints())
    let ofWords = damsm.loss(scores)
    let ofWholes = damsm.loss(damsm.wholes(whole, try file.tensor("loss.sentence")))
    try expectSame(ofWords, "loss.of_words")
    try expectSame(ofWholes, "loss.of_wholes")
    // The second text has four words.
    try expectSame(attention[1..<2].narrowed(1, 0, 4), "loss.map")
    let slopes = gradient(of: ofWords + ofWholes, at: [regions, words, whole])
    for (name, slope) in zip(["regions", "words", "whole"], slopes) {
      try expectSame(slope, "loss.slope.\(name)")
    }
  }

  @Test("pairs that show the same are not told apart")
  func samePairs() {
    let scores = Tensor([1, 5, 0, 2] as [Float], [2, 2])
    let same = Tensor([0, 1, 0, 0], [2, 2]).to(.bool)
    let free = DAMSMLikeness().loss(scores, same: same).item()
    #expect(free < DAMSMLikeness().loss(scores).item())
  }

  @Test("files of PyTorch 0.3 are told by their keys, and draw as the original")
  func published() throws {
    let text = try Recognition(
      of: openTensors(at: Fixtures.url("attngan/text_encoder200.pth")))
    #expect(text.config as? AttnGANText.Config == .init(words: 17, inputs: 6, width: 8))
    #expect(try text.fit()?.problem == nil)
    #expect(try text.fit()?.besides == [])
    let bird = try Recognition(of: openTensors(at: Fixtures.url("attngan/bird_AttnGAN2.pth")))
    let config = AttnGAN.Config(
      gf_dim: 1, z_dim: 5, condition_dim: 4, embedding_dim: 8, r_num: 1)
    #expect(bird.config as? AttnGAN.Config == config)
    #expect(bird.title == "AttnGAN of 256 pixels")
    #expect(try bird.fit()?.problem == nil)
    #expect(try bird.fit()?.besides == [])
    let encoder = try #require(
      try text.network(AttnGANText.self, nil, .float32, device: .cpu))
    let generator = try #require(try bird.network(AttnGAN.self, nil, .float32, device: .cpu))
    let reading = encoder(try file.tensor("small.tokens"), lengths: [7])
    let condition = generator.condition(reading.sentence)
    let drawing = generator(
      try file.tensor("small.noise"), condition(try file.tensor("small.eps")), reading.words,
      mask: reading.mask)
    for index in 0..<3 {
      try expectSame(every(4, drawing.pictures[index]), "small.picture.\(index)")
    }
    let ids = try CaptionsFile(contentsOf: Fixtures.url("attngan/captions.pickle")).ids
    #expect(ids.count == 17)
    #expect(ids["<end>"] == 0)
    let asked = "a red bird with a black beak".split(separator: " ")
    #expect(asked.map { ids[String($0)] } == (try file.tensor("small.tokens").ints()))
  }

  @Test("a network in training goes by its batch, and what it leaves draws the same without")
  func training() throws {
    let config = AttnGAN.Config(
      gf_dim: 2, z_dim: 3, condition_dim: 4, embedding_dim: 6, r_num: 1, branch_num: 2)
    let source = Initializer(seed: 3)
    let model = AttnGAN(Parameters(source), config)
    let stream = RandomStream(seed: 1, "batch")
    let (noise, words) = (stream.normal([24, 3]), stream.normal([24, 6, 2]))
    let sentence = stream.normal([24, 6])
    let mask = Tensor.zeros([24, 1, 2])
    func draw(_ model: AttnGAN) -> Tensor {
      let condition = model.condition(sentence)
      return model(noise, condition.mean, words, mask: mask).pictures[1]
    }
    let first = draw(model)
    let slopes = gradient(of: first.square().sum(), at: source.parameters.map(\.tensor))
    for (parameter, slope) in zip(source.parameters, slopes) {
      // What only the pictures of the first stage need has none.
      let isMoved = slope.abs().amax().item() > 0
      #expect(
        isMoved != (parameter.key.contains("running_") || parameter.key == "img_net1.img.0.weight"),
        "\(parameter.key)")
    }
    for _ in 0..<80 { _ = noGrad { draw(model) } }
    try Fixtures.withTemporaryFile("attngan.safetensors") { url in
      try SafeTensors.write(
        Dictionary(uniqueKeysWithValues: source.parameters.map { ($0.key, $0.tensor) }), to: url)
      let found = try Recognition(of: openTensors(at: url))
      #expect(found.config as? AttnGAN.Config == config)
      let still = try #require(try found.network(AttnGAN.self, nil, .float32, device: .cpu))
      // A batch's variance counts one value less where it is kept.
      let difference = (draw(still) - first.detached()).abs().mean().item()
      #expect(difference < 0.05)
    }
  }
}

/// AttnGAN's files as chance and malice leave them; see `Mutator`.
@Suite("Fuzzing AttnGAN's files", .serialized)
struct AttnGANFuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["REVERIE_FUZZ"].flatMap { Int($0) } ?? 100
  private static let first = environment["REVERIE_FUZZ_FIRST"].flatMap { Int($0) } ?? 0

  @Test(
    "damaged files are told, refused with a typed error, or built",
    arguments: ["bird_AttnGAN2.pth", "text_encoder200.pth"])
  func mutations(name: String) throws {
    let url = try ScratchFolder.make("fuzz").appending(path: name)
    defer { try? FileManager.default.removeItem(at: url.deletingLastPathComponent()) }
    let original = [UInt8](try Data(contentsOf: Fixtures.url("attngan/\(name)")))
    var recognised = 0
    for number in Self.first..<Self.first + Self.count {
      var mutator = Mutator(number)
      try Data(mutator.damage(original)).write(to: url)
      do {
        let found = try Recognition(of: openTensors(at: url))
        if found.config != nil { recognised += 1 }
        guard try found.fit()?.problem == nil else { continue }
        _ = try found.network(AttnGAN.self, nil, .float32, device: .cpu)
        _ = try found.network(AttnGANText.self, nil, .float32, device: .cpu)
      } catch is WeightsError {
      } catch is TorchError {
      }
    }
    // A fuzzer whose every file is refused at the door tests the door only.
    #expect(recognised * 50 > Self.count, "only \(recognised) files were recognised")
  }
}
