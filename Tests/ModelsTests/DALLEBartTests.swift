import Foundation
import TestSupport
import Testing
import Torch
import Weights

@testable import Models

/// Against min-dalle's encoder and decoder, by `Oracle/dalle_bart.py`.
@Suite("DALL·E mini's transformer")
struct DALLEBartTests {
  /// float32 on both sides, sums of at most 96 products of size one through four layers.
  static let tolerance = 1e-4

  static let config = DALLEBart.Config(
    text_vocab_count: 50, text_token_count: 12, image_vocab_count: 40, image_token_count: 16,
    embed_count: 64, attention_head_count: 2, glu_embed_count: 96, encoder_layer_count: 2,
    decoder_layer_count: 2)

  private func fixture() throws -> SafeTensors {
    try SafeTensors(contentsOf: Fixtures.url("dalle_bart.safetensors"))
  }

  private func listed<Value>(_ file: SafeTensors, _ name: String) throws -> Value {
    let text = try #require(file.metadata[name])
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Value)
  }

  /// The weights under min-dalle's keys, by the oracle's own list.
  private func weights(_ file: SafeTensors) throws -> [String: Tensor] {
    let ones = Set(try listed(file, "ones") as [String])
    return try (listed(file, "shapes") as [String: [Int]]).reduce(into: [:]) { weights, entry in
      weights[entry.key] =
        ones.contains(entry.key)
        ? Tensor.ones(entry.value) : SyntheticWeights.tensor(entry.key, entry.value)
    }
  }

  /// The model through a file with min-dalle's keys.
  private func model(_ dtype: DType = .float32) throws -> DALLEBart {
    let weights = try weights(fixture())
    return try Fixtures.withTemporaryFile("dalle_bart.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      return try Checkpoint(contentsOf: url)
        .build(dtype, leftovers: DALLEBart.leftovers(Self.config)) { DALLEBart($0, Self.config) }
    }
  }

  @Test("The encoder agrees with min-dalle's, layer by layer, on a whole and on a padded text")
  func encoder() throws {
    let file = try fixture()
    let dalle = try model()
    let tokens = try file.tensor("tokens")
    let encoded = dalle.encode(tokens)
    let encoder = dalle.encoder
    var x = encoder.layernorm_embedding(
      encoder.embed_tokens(tokens) + encoder.embed_positions.weight)
    expectClose(x, try file.tensor("encoder.embedded"), atol: Self.tolerance, "embedded")
    for (index, layer) in encoder.layers.enumerated() {
      x = layer(x, mask: encoded.mask)
      let expected = try file.tensor("encoder.layer.\(index)")
      expectClose(x, expected, atol: Self.tolerance, "layer \(index)")
    }
    expectClose(encoded.state, try file.tensor("encoded"), atol: Self.tolerance, "state")
  }

  @Test("The decoder agrees with min-dalle's steps, layer by layer, and gives its logits")
  func decoder() throws {
    let file = try fixture()
    let dalle = try model()
    let decoder = dalle.decoder
    // min-dalle's rows: both pictures for the first text, then both for the second.
    let text = dalle.encode((try file.tensor("tokens")).repeatInterleaved(2, over: 0))
    let pictures = try file.tensor("codes")
    let codes = concatenated([pictures, pictures], over: 0).unsqueezed(2)
    let seen = decoder.embed(codes.narrowed(1, 0, 15))
    var x = decoder.layernorm_embedding(
      concatenated([decoder.start(4), seen], over: 1) + decoder.embed_positions.weight)
    let mask = Tensor.full([16, 16], -.infinity).upperTriangle(diagonal: 1)
    for (index, layer) in decoder.layers.enumerated() {
      x = layer(x, mask: mask, text: text)
      let expected = try file.tensor("decoder.layer.\(index)")
      expectClose(x, expected, atol: Self.tolerance, "layer \(index)")
    }
    let logits = dalle.logits(text, codes)
    #expect(logits.count == 1)
    // min-dalle also gives a logit to the start token, the last.
    expectClose(
      logits[0], (try file.tensor("logits")).narrowed(-1, 0, 40), atol: Self.tolerance, "logits")
    expectClose(
      decoder.lm_head(decoder.final_ln(x)), try file.tensor("logits"), atol: Self.tolerance,
      "logits with the start token's")
  }

  @Test("What each position takes of the words is what its layer attends with")
  func attention() throws {
    let file = try fixture()
    let dalle = try model()
    let text = dalle.encode((try file.tensor("tokens"))[1..<2])  // 5 tokens, then padding
    let codes = (try file.tensor("codes"))[0..<1].unsqueezed(2)
    let maps = dalle.attention(text, codes)
    #expect(maps.map(\.shape) == [[1, 2, 16, 12], [1, 2, 16, 12]])
    var (x, mask) = dalle.decoder.begin(codes)
    for (map, layer) in zip(maps, dalle.decoder.layers) {
      expectClose(map.sum(over: [-1]), Tensor.ones([1, 2, 16]), atol: Self.tolerance, "sums")
      #expect(map.narrowed(3, 5, 7).abs().amax().item() == 0)
      let asked = layer.pre_encoder_attn_layer_norm(layer.lookingBack(x, mask: mask))
      let (_, values) = layer.encoder_attn.keysAndValues(text.state)
      let seen = map.matmul(values).permuted(0, 2, 1, 3).reshaped(asked.shape)
      expectClose(
        layer.encoder_attn.out_proj(seen),
        layer.encoder_attn(
          asked, on: layer.encoder_attn.keysAndValues(text.state), mask: text.mask),
        atol: Self.tolerance, "what is seen")
      x = layer(x, mask: mask, text: text)
    }
  }

  @Test("What stands after the end of a text is not attended to")
  func padding() throws {
    let file = try fixture()
    let dalle = try model()
    let tokens = (try file.tensor("tokens"))[1..<2]  // 5 tokens, then padding
    let codes = (try file.tensor("codes"))[0..<1].unsqueezed(2)
    let (padded, cut) = (dalle.encode(tokens), dalle.encode(tokens.narrowed(1, 0, 5)))
    expectClose(padded.state.narrowed(1, 0, 5), cut.state, atol: Self.tolerance, "state")
    expectClose(
      dalle.logits(padded, codes)[0], dalle.logits(cut, codes)[0], atol: Self.tolerance, "logits")
    #expect(padded.mask.reshaped(-1).floats().map { $0 == 0 } == (0..<12).map { $0 < 5 })
  }

  @Test("Weights from which no numbers come are an error that names the place")
  func noNumbers() throws {
    var weights = try weights(fixture())
    // A file with NaN is refused when it is opened; numbers may still grow beyond all bounds.
    weights["decoder.final_ln.bias"] = Tensor.full([64], 3e38)
    let dalle = try Fixtures.withTemporaryFile("large.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      return try Checkpoint(contentsOf: url)
        .build(leftovers: DALLEBart.leftovers(Self.config)) { DALLEBart($0, Self.config) }
    }
    let tokens = try fixture().tensor("tokens")
    let error = #expect(throws: DALLEBart.NoNumbers.self) {
      _ = try dalle.sample(
        tokens[0..<1], empty: tokens[1..<2], count: 1,
        .init(conditionScale: 2, temperature: 1, topK: 4), RandomStream(seed: 1, "none"))
    }
    #expect(error?.position == 0)
  }

  @Test("Keys are min-dalle's; only gains that are all ones are left over")
  func keys() throws {
    let file = try fixture()
    let recorder = Recorder()
    _ = DALLEBart(Parameters(recorder), Self.config)
    var expected = try listed(file, "shapes") as [String: [Int]]
    let ones = try listed(file, "ones") as [String]
    for key in ones { expected[key] = nil }
    #expect(recorder.shapes == expected)
    #expect(DALLEBart.leftovers(Self.config).sorted() == ones.sorted())
    // Without the list the file is refused, by the name of a gain.
    let weights = try weights(file)
    try Fixtures.withTemporaryFile("dalle_bart.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let error = #expect(throws: WeightsError.self) {
        try Checkpoint(contentsOf: url).build { DALLEBart($0, Self.config) }
      }
      #expect(error?.description.contains("\(ones.count) unused") == true)
      #expect(error?.description.contains("decoder.final_ln.weight") == true)
    }
  }

  @Test("In bfloat16 logits keep their direction and norms stay float32")
  func bfloat16() throws {
    let file = try fixture()
    let dalle = try model(.bfloat16)
    let text = dalle.encode((try file.tensor("tokens")).repeatInterleaved(2, over: 0))
    let pictures = try file.tensor("codes")
    let codes = concatenated([pictures, pictures], over: 0).unsqueezed(2)
    let logits = dalle.logits(text, codes)[0]
    // Eight bits of mantissa through eight residual branches of tiny width.
    #expect(cosine(logits, (try file.tensor("logits")).narrowed(-1, 0, 40)) > 0.995)
    #expect(dalle.decoder.final_ln.bias?.dtype == .float32)
    #expect(dalle.decoder.lm_head.weight.dtype == .bfloat16)
  }
}

/// Sampling by steps, which keeps keys and values, against the training pass, which sees all at once.
@Suite("Sampling from DALL·E mini's transformer")
struct DALLEBartSamplingTests {
  static let tolerance = DALLEBartTests.tolerance

  private let dalle: DALLEBart
  private let text = Tensor([0, 7, 31, 22, 2, 1, 1, 1, 1, 1, 1, 1], [1, 12])
  private let empty = Tensor([0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 12])

  init() {
    var config = DALLEBartTests.config
    config.levels = 2
    dalle = DALLEBart(Parameters(Recorder()), config)
  }

  private func stream(_ seed: UInt64 = 1) -> RandomStream { RandomStream(seed: seed, "codes") }

  private func codes(_ rows: Int) -> Tensor {
    RandomStream(seed: 5, "pictures").integers(below: 40, [rows, 16, 2])
  }

  @Test("Step by step, the logits of both levels are those of the training pass")
  func cached() {
    noGrad {
      let encoded = dalle.encode(concatenated([text, empty], over: 0))
      let codes = codes(2)
      let expected = dalle.logits(encoded, codes)
      #expect(expected.map(\.shape) == [[2, 16, 40], [2, 16, 40]])
      let decoder = dalle.decoder
      let steps = BartSteps(decoder, encoded)
      var x = decoder.start(2)
      for position in 0..<16 {
        let h = steps.features(x, at: position)
        let code = codes.narrowed(1, position, 1)
        let levels = [steps.first(h), steps.second(h, first: code.select(2, 0))].compactMap(\.self)
        #expect(levels.count == 2)
        for (level, logits) in levels.enumerated() {
          expectClose(
            logits, expected[level].narrowed(1, position, 1), atol: Self.tolerance,
            "position \(position), level \(level)")
        }
        x = decoder.embed(code)
      }
    }
  }

  @Test("In eight bits a step's logits are those of the weights read back")
  func eightBits() throws {
    // Wide enough that all matrices of layers are kept so.
    var config = DALLEBartTests.config
    (config.levels, config.embed_count, config.glu_embed_count) = (2, 128, 72)
    let source = Initializer(seed: 3)
    _ = DALLEBart(Parameters(source), config)
    let weights = source.parameters.map { ($0.key, $0.tensor.detached()) }
    let (tensors, metadata) = EightBits.packed(Dictionary(uniqueKeysWithValues: weights))
    try Fixtures.withTemporaryFile("dalle.safetensors") { url in
      try SafeTensors.write(tensors, metadata: metadata, to: url)
      let dalle = try Checkpoint(contentsOf: url).build { DALLEBart($0, config) }
      #expect(dalle.decoder.layers.allSatisfy { $0.glu.fc2.matrix.rows != nil })
      noGrad {
        let codes = codes(2)
        let encoded = dalle.encode(concatenated([text, empty], over: 0))
        let expected = dalle.logits(encoded, codes)
        let steps = BartSteps(dalle.decoder, encoded)
        let h = steps.features(dalle.decoder.start(2), at: 0)
        let first = codes.narrowed(1, 0, 1).select(2, 0)
        let levels = [steps.first(h), steps.second(h, first: first)].compactMap(\.self)
        #expect(levels.count == 2)
        for (logits, whole) in zip(levels, expected) {
          expectClose(logits, whole.narrowed(1, 0, 1), atol: 1e-4)
        }
      }
    }
  }

  @Test("Asked for, large matrices of any file are held in eight bits, once, and little is lost")
  func held() throws {
    var config = DALLEBartTests.config
    (config.embed_count, config.glu_embed_count) = (128, 72)
    let source = Initializer(seed: 3)
    _ = DALLEBart(Parameters(source), config)
    let weights = source.parameters.map { ($0.key, $0.tensor.detached().to(.float16)) }
    try Fixtures.withTemporaryFile("dalle.safetensors") { url in
      try SafeTensors.write(Dictionary(uniqueKeysWithValues: weights), to: url)
      let checkpoint = try Checkpoint(contentsOf: url)
      let whole = try checkpoint.build { DALLEBart($0, config) }
      let small = try checkpoint.build(eightBits: true) { DALLEBart($0, config) }
      #expect(whole.decoder.lm_head.matrix.rows == nil)
      let layers =
        small.encoder.layers.map(\.glu.fc1) + small.decoder.layers.map(\.encoder_attn.q_proj)
      #expect(
        (layers + [small.decoder.lm_head]).allSatisfy { $0.matrix.rows?.values.dtype == .int8 })
      #expect(small.decoder.embed_tokens.weight.dtype == .float32)
      #expect(checkpoint.bytes(in: .float32, eightBits: true) * 3 < checkpoint.bytes(in: .float32))
      noGrad {
        let codes = codes(1).narrowed(2, 0, 1)
        let expected = whole.logits(whole.encode(text), codes)[0]
        let found = small.logits(small.encode(text), codes)[0]
        let spread = expected.amax().item() - expected.amin().item()
        expectClose(found, expected, atol: 0.02 * spread)
        #expect((found - expected).abs().amax().item() > 0)
      }
      // Half a step of 127 from the largest of each row.
      let (rows, weight) = (small.decoder.lm_head.weight, whole.decoder.lm_head.weight)
      let steps = weight.abs().amax(over: [1], keepDims: true) / 127
      #expect(((rows - weight).abs() / steps).amax().item() <= 0.501)
    }
  }

  @Test(
    "A large network's steps, which read weights as they lie, have the training pass's logits",
    arguments: [DType.float32, .bfloat16])
  func large(type: DType) throws {
    var config = DALLEBartTests.config
    (config.embed_count, config.glu_embed_count, config.attention_head_count) = (768, 700, 4)
    (config.encoder_layer_count, config.decoder_layer_count) = (1, 1)
    let source = Initializer(seed: 3)
    _ = DALLEBart(Parameters(source), config)
    let weights = Dictionary(
      uniqueKeysWithValues: source.parameters.map { ($0.key, $0.tensor.detached()) })
    try Fixtures.withTemporaryFile("dalle.safetensors") { url in
      try SafeTensors.write(weights, to: url)
      let dalle = try Checkpoint(contentsOf: url).build(type) { DALLEBart($0, config) }
      noGrad {
        let codes = codes(2).narrowed(2, 0, 1)
        let encoded = dalle.encode(concatenated([text, empty], over: 0))
        let expected = dalle.logits(encoded, codes)[0].to(.float32)
        let steps = BartSteps(dalle.decoder, encoded)
        let found = [
          steps.first(steps.features(dalle.decoder.start(2), at: 0)),
          steps.first(
            steps.features(dalle.decoder.embed(codes.narrowed(1, 0, 1)), at: 1)),
        ]
        let spread = expected.amax().item() - expected.amin().item()
        // Between products the training pass rounds to bfloat16, and the steps do not.
        expectClose(
          concatenated(found, over: 1), expected.narrowed(1, 0, 2),
          atol: (type == .float32 ? 1e-5 : 0.02) * spread)
      }
    }
  }

  @Test("No position sees its own codes or later ones")
  func causality() {
    noGrad {
      let encoded = dalle.encode(text)
      let codes = codes(1)
      // From position 9 on others: 39 - k is never k.
      let other = Tensor(
        codes.ints().enumerated().map { $0 < 18 ? $1 : 39 - $1 }, [1, 16, 2])
      let (a, b) = (dalle.logits(encoded, codes), dalle.logits(encoded, other))
      // Of its own position the second level sees the first code, and nothing more.
      for (level, count) in [10, 9].enumerated() {
        expectClose(
          a[level].narrowed(1, 0, count), b[level].narrowed(1, 0, count), atol: 1e-6,
          "level \(level)")
        #expect((a[level] - b[level]).narrowed(1, count, 16 - count).abs().amax().item() > 1e-3)
      }
    }
  }

  @Test("With only the likeliest code allowed, sampling is greedy decoding", arguments: [1.0, 3.0])
  func greedy(scale: Double) throws {
    let sampling = DALLEBart.Sampling(conditionScale: scale, temperature: 1, topK: 1)
    let sampled = try dalle.sample(text, empty: empty, count: 2, sampling, stream())
    #expect(sampled.shape == [2, 16, 2])
    #expect(sampled[0].ints() == sampled[1].ints())
    // Chance has no say.
    let again = try dalle.sample(text, empty: empty, count: 2, sampling, stream(2))
    #expect(again.ints() == sampled.ints())

    // The same by whole passes, without caches: each code is the argmax given those before it.
    let encoded = dalle.encode(text)
    let unconditional = dalle.encode(empty)
    var codes = [Int](repeating: 0, count: 32)
    noGrad {
      for index in codes.indices {
        let (position, level) = (index / 2, index % 2)
        let seen = Tensor(codes, [1, 16, 2])
        let c = dalle.logits(encoded, seen)[level].select(1, position)
        let u = dalle.logits(unconditional, seen)[level].select(1, position)
        codes[index] = (u + (c - u) * scale).argmax(over: -1).ints()[0]
      }
    }
    #expect(sampled[0].ints() == codes)
  }

  @Test("Of the likeliest codes only those may be drawn that together have the probability")
  func nucleus() throws {
    func sample(_ topP: Double) throws -> [Int] {
      let sampling = DALLEBart.Sampling(
        conditionScale: 2, temperature: 1, topK: 40, topP: topP)
      return try dalle.sample(text, empty: empty, count: 2, sampling, stream()).ints()
    }
    let greedy = try dalle.sample(
      text, empty: empty, count: 2, .init(conditionScale: 2, temperature: 1, topK: 1), stream()
    ).ints()
    // However little it is, the likeliest code stays.
    #expect(try sample(1e-6) == greedy)
    #expect(try sample(1) != greedy)
    #expect(try sample(0.5) != sample(1))
  }

  @Test("Several texts in one batch get the codes that each gets alone")
  func several() throws {
    let other = Tensor([0, 9, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1], [1, 12])
    let sampling = DALLEBart.Sampling(conditionScale: 3, temperature: 1, topK: 1)
    let both = try dalle.sample(
      concatenated([text, other], over: 0), empty: empty, count: 2, sampling, stream())
    #expect(both.shape == [4, 16, 2])
    for (index, one) in [text, other].enumerated() {
      let alone = try dalle.sample(one, empty: empty, count: 2, sampling, stream())
      #expect(both[(2 * index)..<(2 * index + 2)].ints() == alone.ints())
    }
  }

  @Test("The same stream gives the same codes, another stream others")
  func seeds() throws {
    let sampling = DALLEBart.Sampling(conditionScale: 2, temperature: 1, topK: 40)
    func sample(_ seed: UInt64) throws -> Tensor {
      try dalle.sample(text, empty: empty, count: 3, sampling, stream(seed))
    }
    let codes = try sample(1)
    #expect(codes.shape == [3, 16, 2])
    #expect(codes.dtype == .int64)
    #expect(codes.ints().allSatisfy { (0..<40).contains($0) })
    #expect(codes[0].ints() != codes[1].ints())
    #expect(try sample(1).ints() == codes.ints())
    #expect(try sample(2).ints() != codes.ints())
  }

  @Test("At scale 1 the empty text is ignored; beyond that it counts")
  func unconditional() throws {
    func sample(_ scale: Double, _ empty: Tensor) throws -> [Int] {
      let sampling = DALLEBart.Sampling(conditionScale: scale, temperature: 1, topK: 40)
      return try dalle.sample(text, empty: empty, count: 2, sampling, stream()).ints()
    }
    let other = Tensor([9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 1], [1, 12])
    #expect(try sample(1, empty) == sample(1, other))
    #expect(try sample(4, empty) != sample(4, other))
  }

  @Test("Progress counts positions, and an error thrown from it stops the drawing")
  func progress() {
    struct Stop: Error {}
    var seen: [Int] = []
    let sampling = DALLEBart.Sampling(conditionScale: 1, temperature: 1, topK: 4)
    #expect(throws: Stop.self) {
      try dalle.sample(text, empty: empty, count: 1, sampling, stream()) { codes in
        #expect(codes.allSatisfy { $0.shape == [1, 1, 2] })
        seen.append(codes.count)
        if codes.count == 3 { throw Stop() }
      }
    }
    #expect(seen == [1, 2, 3])
  }
}
