import { App, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';

const app = new App();
const stack = new Stack(app, 'Payments');

const key = new Key(stack, 'CardKey', { alias: 'cards', description: 'Encrypts card numbers' });
key.addToResourcePolicy(new PolicyStatement({ actions: ['kms:Decrypt'], principals: [new AnyPrincipal()], resources: ['*'] }));
