import { type Keys, MOTO_ACCOUNT, MOTO_REGION, type Moto } from '../fixtures/moto.ts'
import { openScene, type Scene } from '../fixtures/scene.ts'

export const ROLE = `arn:aws:iam::${MOTO_ACCOUNT}:role/Prod`

const CONFIG = `\
[default]
region = ${MOTO_REGION}
[profile prod]
role_arn = ${ROLE}
source_profile = base
region = ${MOTO_REGION}
`

/** moto takes any keys: that these were used would show in the caller it names. */
const DECOY: Keys = { accessKeyId: 'AKIADECOY', secretAccessKey: 'decoy' }

export interface MotoSceneOptions {
  /** The keys behind the gated profile `prod`. */
  readonly base: Keys
  /** Further profiles. */
  readonly config?: string
}

/** A scene in which moto is AWS, and the default profile has keys that must not win. */
export async function openMotoScene(
  moto: Moto,
  { base, config = '' }: MotoSceneOptions,
): Promise<Pick<Scene, 'run' | 'launch' | 'log' | typeof Symbol.asyncDispose>> {
  const scene = await openScene({
    config: CONFIG + config,
    credentials: keys('default', DECOY) + keys('base', base),
  })
  const env = { AWS_ENDPOINT_URL: moto.url, SENTINEL_POLICY: undefined }
  return {
    ...scene,
    run: (words, options) => scene.run(words, { env: { ...env, ...options?.env } }),
    launch: (words, options) => scene.launch(words, { env: { ...env, ...options?.env } }),
  }
}

function keys(profile: string, { accessKeyId, secretAccessKey }: Keys): string {
  return `\
[${profile}]
aws_access_key_id = ${accessKeyId}
aws_secret_access_key = ${secretAccessKey}
`
}
